# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What lies in a bundle: taken once, byte by byte, and believed only where the signed list says so.

Names and kinds of files first; then the signature over SHA256SUMS; then each file against that list.
Nothing here understands a model: what comes out is bytes whose hashes are those that somebody signed.
A file that changes while it is read can only make the hashes wrong.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from appliance.errors import ModelBundleError
from appliance.models.signature import MAX_SIGNATURE_BYTES, Signed

CARD: Final = "card.toml"
MODEL: Final = "model.onnx"
GOLDEN: Final = "golden.npz"
GATE: Final = "gate.json"
SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SIGNATURE"
VARIANTS: Final = MappingProxyType({"int8": "model.int8.onnx", "fp16": "model.fp16.onnx"})
"""Precision to file name of the graphs that may stand beside the float32 one."""
REQUIRED: Final = frozenset({CARD, MODEL, GOLDEN, GATE})
READ_BY_PEOPLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}(\.(md|txt|html))?")
"""Other files that a bundle may hold: licences, notes, the report. Never parsed."""
SUM_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *]([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
"""As `sha256sum` writes it; the name can neither leave the folder nor hide in it."""
MAX_FILE_BYTES: Final = 512 * 1024**2
"""Of one file of a bundle: ten times the largest chest model that a small device serves (PERFORMANCE.md)."""
MAX_SUMS_BYTES: Final = 64 * 1024
"""Of the list: some five hundred files."""
MAX_FILES: Final = 64
"""A bundle has at most nine files of its own; the rest is room for licences and notes."""
ZIP_FAULTS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    KeyError,
    ValueError,
    RuntimeError,  # NotImplementedError too: a compression or encryption that nobody asked for
)
"""Everything that reading a damaged zip raises."""
REMEDY: Final = (
    "The bundle was refused unread. Get it again from where it was made, and compare its SHA256SUMS."
)

Admit = Callable[[bytes, bytes | None], Signed | None]
"""Given the bytes of SHA256SUMS and of SIGNATURE (None: there is none), says who answers for them; None where
nobody has to. Raises ModelBundleError."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packed:
    """The files of a bundle before anybody has looked into one."""

    name: str
    sizes_bytes: Mapping[str, int]
    read: Callable[[str, int], bytes]
    """(file, limit in bytes) to content. Raises ModelBundleError."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contents:
    """Every file of a bundle, each as it was listed."""

    files: Mapping[str, bytes]
    """Without SHA256SUMS and SIGNATURE."""
    sums: bytes
    """Of SHA256SUMS."""
    signature: bytes | None
    """Of SIGNATURE; None: there is none, and nobody asked."""
    signed: Signed | None

    @property
    def sums_sha256(self) -> str:
        """Names this bundle down to the last byte."""
        return hashlib.sha256(self.sums).hexdigest()


def refused(bundle: str, why: str, *, remedy: str = REMEDY) -> ModelBundleError:
    """The error for a bundle of that name."""
    return ModelBundleError(f"The model bundle {bundle!r} is refused: {why}.", remedy=remedy)


def in_folder(folder: Path) -> Packed:
    """A bundle that is a folder. Raises ModelBundleError for links, folders, devices and odd names in it."""
    sizes = {}
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise refused(folder.name, "it is not a folder")
        for entry in sorted(folder.iterdir()):
            status = entry.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise refused(folder.name, f"{entry.name!r} is not a plain file")
            sizes[entry.name] = status.st_size
    except OSError as error:
        raise refused(folder.name, f"it cannot be read ({error.strerror})") from error
    return _checked(
        Packed(
            name=folder.name,
            sizes_bytes=sizes,
            read=lambda name, limit_bytes: read_plain(
                folder / name, bundle=folder.name, limit_bytes=limit_bytes
            ),
        )
    )


def in_zip(archive: Path) -> Packed:
    """A bundle that is a zip. Only names and sizes of its list are believed, and only if harmless.

    Raises ModelBundleError for folders, links, doubles and damage.
    """
    try:
        content = read_plain(archive, bundle=archive.name, limit_bytes=MAX_FILE_BYTES)
        packed = zipfile.ZipFile(io.BytesIO(content))
        entries = packed.infolist()
        for entry in entries:
            if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
                raise refused(archive.name, f"{entry.filename[:80]!r} is not a plain file")
    except ZIP_FAULTS as error:
        raise refused(archive.name, f"it cannot be unpacked ({error})") from error
    sizes = {entry.filename: entry.file_size for entry in entries}
    if len(sizes) != len(entries):
        raise refused(archive.name, "two files in it have one name")

    def read(name: str, limit_bytes: int) -> bytes:
        try:
            with packed.open(name) as file:
                unpacked = file.read(limit_bytes + 1)
        except ZIP_FAULTS as error:
            raise refused(archive.name, f"{name} cannot be unpacked ({error})") from error
        return _within(archive.name, name, unpacked, limit_bytes)

    return _checked(Packed(name=archive.name, sizes_bytes=sizes, read=read))


def read_plain(file: Path, *, bundle: str, limit_bytes: int) -> bytes:
    """The bytes of a plain file, no link and no pipe. Raises ModelBundleError naming the bundle."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as opened:  # noqa: PTH123  (a descriptor, not a path)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise refused(bundle, f"{file.name} is not a plain file")
            content = opened.read(limit_bytes + 1)
    except OSError as error:
        raise refused(
            bundle, f"{file.name} is not a plain file that can be read ({error.strerror})"
        ) from error
    return _within(bundle, file.name, content, limit_bytes)


def _within(bundle: str, name: str, content: bytes, limit_bytes: int) -> bytes:
    if len(content) > limit_bytes:
        raise refused(bundle, f"{name} is larger than {limit_bytes} bytes")
    return content


def _is_expected(name: str) -> bool:
    known = name in REQUIRED or name in {SUMS, SIGNATURE} or name in VARIANTS.values()
    return known or READ_BY_PEOPLE.fullmatch(name) is not None


def _checked(packed: Packed) -> Packed:
    for name, size_bytes in packed.sizes_bytes.items():
        if not _is_expected(name):
            raise refused(packed.name, f"a bundle holds no file called {name[:80]!r}")
        if size_bytes > MAX_FILE_BYTES:
            raise refused(packed.name, f"{name} is larger than {MAX_FILE_BYTES} bytes")
    if len(packed.sizes_bytes) > MAX_FILES:
        raise refused(packed.name, f"it holds {len(packed.sizes_bytes)} files, more than {MAX_FILES}")
    if sum(packed.sizes_bytes.values()) > 2 * MAX_FILE_BYTES:
        raise refused(packed.name, f"it holds more than {2 * MAX_FILE_BYTES} bytes")
    return packed


def known(sums_sha256: str, *, bundle: str) -> Admit:
    """For a bundle that was verified before: only the list with that hash is admitted, whoever signed it."""

    def admit(sums: bytes, signature: bytes | None) -> None:
        del signature  # it was checked together with this list
        if hashlib.sha256(sums).hexdigest() != sums_sha256:
            raise refused(bundle, f"its {SUMS} is not the one that was verified before")

    return admit


def take(packed: Packed, admit: Admit, *, only: frozenset[str] | None = None) -> Contents:
    """Every file, once `admit` has said that somebody answers for the list, and each is as it lists.

    `only`: leave the others unread. Raises ModelBundleError. No parser has run when this returns.
    """
    if SUMS not in packed.sizes_bytes:
        raise refused(packed.name, f"it has no {SUMS}")
    sums = packed.read(SUMS, MAX_SUMS_BYTES)
    signature = packed.read(SIGNATURE, MAX_SIGNATURE_BYTES) if SIGNATURE in packed.sizes_bytes else None
    signed = admit(sums, signature)
    listed = _listed(packed.name, sums)
    there = packed.sizes_bytes.keys() - {SUMS, SIGNATURE}
    if listed.keys() != there:
        missing, unlisted = sorted(listed.keys() - there), sorted(there - listed.keys())
        raise refused(packed.name, f"files missing: {missing}, files not listed in {SUMS}: {unlisted}")
    if not there >= REQUIRED:
        raise refused(packed.name, f"files missing: {sorted(REQUIRED - there)}")
    files = {}
    for name, sha256 in listed.items():
        if only is not None and name not in only:
            continue
        files[name] = packed.read(name, MAX_FILE_BYTES)
        if hashlib.sha256(files[name]).hexdigest() != sha256:
            raise refused(packed.name, f"{name} is not the file that {SUMS} lists")
    return Contents(files=MappingProxyType(files), sums=sums, signature=signature, signed=signed)


def _listed(bundle: str, sums: bytes) -> dict[str, str]:
    listed: dict[str, str] = {}
    for line in sums.decode("ascii", errors="replace").splitlines():
        match = SUM_LINE.fullmatch(line)
        if match is None or match[2] in listed:
            raise refused(bundle, f"{SUMS} has a line that is not a sum or comes twice: {line[:80]!r}")
        listed[match[2]] = match[1]
    return listed


def sums_of(files: Mapping[str, bytes]) -> bytes:
    """The content of SHA256SUMS for these files, as `sha256sum` writes it, in order of name."""
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return "".join(lines).encode("ascii")
