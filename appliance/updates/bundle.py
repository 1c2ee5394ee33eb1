# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An update as it comes on a stick: a folder, or one file (a zip that stores), of these and nothing else.

    manifest.json    version, release, security floor, for which machine, what changed, and of every file its
                     size and SHA-256
    SIGNATURE        Ed25519 over the manifest, as of a model bundle (models/signature.py), for "software"
    *.whl            Scanside itself, what it needs, and pip, which installs them

In this order: names and sizes, the signature, then the manifest, then whether this device may take it, then
each file against the manifest. Before that nothing is unpacked, parsed or run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.domain.record import from_json
from appliance.errors import ModelBundleError, UpdateError
from appliance.models.keys import Signer, Trust
from appliance.models.signature import MAX_SIGNATURE_BYTES, check_signature
from appliance.updates.opened import Opened, refused

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "SIGNATURE"
SUFFIX: Final = ".update"
FORMAT: Final = 1
SUBJECT: Final = "software"
"""What the signature names as its task: no model's signature is one for software."""
NAME: Final = "Scanside"
KIND: Final = "update"
TRUST_WITH: Final = "scanside update trust"
WHEEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,200}\.whl")
"""A file name that can neither leave the folder nor hide in it."""
PROJECT_WHEEL: Final = re.compile(r"scanside-[^-]+-.*\.whl")
PIP_WHEEL: Final = re.compile(r"pip-[^-]+-.*\.whl")
MAX_MANIFEST_BYTES: Final = 1024**2
MAX_FILES: Final = 500
"""Some sixty packages are locked; five times that is room enough."""
MAX_FILE_BYTES: Final = 4 * 1024**3 - 1
"""Of one file: what the file system of a stick can hold (FAT32)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFile:
    """One file of an update."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A kind of machine."""

    machine: str
    """As `uname -m` says it."""
    python: str
    """Major and minor version, for example 3.11: compiled packages fit no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an update says of itself; signed."""

    format: int
    version: str
    release: int
    """Counts up with every release."""
    security_floor: int
    """Once this release has proved itself, nothing below the floor runs on the device any more."""
    target: Target
    installed_bytes: int
    """What it takes on the disk when it is installed."""
    changes: tuple[str, ...]
    """What changed, in words, one sentence each."""
    made_at_utc: str
    files: tuple[BundleFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What this device has seen so far: no update may lie below it."""

    highest: int
    floor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An update that somebody trusted answers for, and that this device may take."""

    manifest: Manifest
    signer: Signer
    bundle: str
    """SHA-256 of the manifest."""


def check_update(opened: Opened, *, trust: Trust, target: Target, accepted: Accepted) -> Checked:
    """Who answers for it, and that this device may take it; no wheel is read yet. Raises UpdateError."""
    _check_names(opened)
    content = _small(opened, MANIFEST, MAX_MANIFEST_BYTES)
    signature = _small(opened, SIGNATURE, MAX_SIGNATURE_BYTES) if SIGNATURE in opened.sizes_bytes else None
    try:
        signed = check_signature(
            content, signature, trust, bundle=opened.name, kind=KIND, trust_with=TRUST_WITH
        )
    except ModelBundleError as error:
        raise UpdateError(error.what, remedy=error.remedy) from error
    if signed.task != SUBJECT:
        raise refused(opened.name, f"its signature is for {signed.task}, not for software")
    try:
        manifest = from_json(Manifest, content.decode("utf-8"))
    except ValueError as error:
        raise refused(opened.name, f"its {MANIFEST} cannot be understood ({error})") from error
    if manifest.format != FORMAT or manifest.release != signed.release:
        raise refused(opened.name, f"its {MANIFEST} and its {SIGNATURE} do not speak of one release")
    _check_listed(opened, manifest)
    _check_may(opened.name, manifest, target=target, accepted=accepted)
    return Checked(manifest=manifest, signer=signed.signer, bundle=hashlib.sha256(content).hexdigest())


def _check_names(opened: Opened) -> None:
    if MANIFEST not in opened.sizes_bytes:
        raise refused(opened.name, f"it has no {MANIFEST}")
    if len(opened.sizes_bytes) > MAX_FILES:
        raise refused(opened.name, f"it holds {len(opened.sizes_bytes)} files, more than {MAX_FILES}")
    for name, size_bytes in opened.sizes_bytes.items():
        if name not in (MANIFEST, SIGNATURE) and not WHEEL.fullmatch(name):
            raise refused(opened.name, f"an update holds no file called {name[:80]!r}")
        if size_bytes > MAX_FILE_BYTES:
            raise refused(opened.name, f"{name} is larger than {MAX_FILE_BYTES} bytes")


def _small(opened: Opened, name: str, limit_bytes: int) -> bytes:
    content = b""
    for piece in opened.pieces(name):
        content += piece
        if len(content) > limit_bytes:
            raise refused(opened.name, f"{name} is larger than {limit_bytes} bytes")
    return content


def _check_listed(opened: Opened, manifest: Manifest) -> None:
    listed = {file.name: file.size_bytes for file in manifest.files}
    there = {name: size for name, size in opened.sizes_bytes.items() if name not in (MANIFEST, SIGNATURE)}
    missing, unlisted = sorted(listed.keys() - there.keys()), sorted(there.keys() - listed.keys())
    if missing or unlisted:
        raise refused(
            opened.name, f"files missing: {missing}, files that {MANIFEST} does not list: {unlisted}"
        )
    for name, size_bytes in listed.items():
        if there[name] != size_bytes:
            raise refused(opened.name, f"{name} has {there[name]} bytes, not {size_bytes}")
    for pattern, what in ((PROJECT_WHEEL, "Scanside's own wheel"), (PIP_WHEEL, "pip's wheel")):
        if sum(bool(pattern.fullmatch(name)) for name in listed) != 1:
            raise refused(opened.name, f"it does not hold {what}, once")


def _check_may(name: str, manifest: Manifest, *, target: Target, accepted: Accepted) -> None:
    if manifest.target != target:
        made, here = manifest.target, target
        raise refused(
            name,
            f"it is for {made.machine} with Python {made.python}; this device is {here.machine} with Python"
            f" {here.python}",
            remedy="Get the update that was made for this kind of device.",
        )
    if manifest.release < accepted.floor:
        raise refused(
            name,
            f"its release {manifest.release} is below the security floor {accepted.floor} of this device",
            remedy="Its known holes must not come back: install the newest release.",
        )
    if manifest.release < accepted.highest:
        raise refused(
            name,
            f"its release {manifest.release} is older than release {accepted.highest}, which has run here",
            remedy="Install a newer one. To go back one step on purpose: `scanside update rollback`.",
        )


def files_of(opened: Opened, checked: Checked, *, keep: Callable[[str, bytes], None]) -> None:
    """Give every wheel, piece by piece, to `keep`. Raises UpdateError for the first that is not as listed.

    What was given before is then to be thrown away.
    """
    for file in checked.manifest.files:
        found, size_bytes = hashlib.sha256(), 0
        for piece in opened.pieces(file.name):
            size_bytes += len(piece)
            if size_bytes > file.size_bytes:
                break
            found.update(piece)
            keep(file.name, piece)
        if size_bytes != file.size_bytes or found.hexdigest() != file.sha256:
            raise refused(opened.name, f"{file.name} is not the file that {MANIFEST} lists")
