# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Opening an update, a folder or one file: names, sizes and bytes, and nothing believed yet."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Protocol

from appliance.errors import UpdateError

CHUNK_BYTES: Final = 1 << 20
AGAIN: Final = "Nothing was unpacked. Get the update again from where it was made, whole."
ZIP_FAULTS: Final = (zipfile.BadZipFile, OSError, EOFError, KeyError, ValueError, RuntimeError)
"""Everything that reading a damaged zip raises."""


class Opened(Protocol):
    """An update that can be read file by file."""

    name: str
    sizes_bytes: Mapping[str, int]

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content, piece by piece. Raises UpdateError."""


def refused(name: str, why: str, *, remedy: str = AGAIN) -> UpdateError:
    """The error for an update of that name."""
    return UpdateError(f"The update {name!r} is refused: {why}.", remedy=remedy)


@contextmanager
def open_update(path: Path) -> Iterator[Opened]:
    """A folder, or one file. Raises UpdateError for links, folders within, odd names and damage."""
    try:
        is_folder = stat.S_ISDIR(path.lstat().st_mode)
    except OSError as error:
        raise refused(path.name, f"it cannot be read ({error.strerror})") from error
    if is_folder:
        yield _Folder(path)
        return
    with ExitStack() as closing:
        try:
            packed = closing.enter_context(zipfile.ZipFile(closing.enter_context(_plain(path, path.name))))
        except ZIP_FAULTS as error:
            raise refused(path.name, f"it is no whole update file ({error})") from error
        yield _File(path.name, packed)


class _Folder:
    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self._folder = folder
        try:
            found = {entry.name: entry.lstat() for entry in sorted(folder.iterdir())}
        except OSError as error:
            raise refused(self.name, f"it cannot be read ({error.strerror})") from error
        for name, status in found.items():
            if not stat.S_ISREG(status.st_mode):
                raise refused(self.name, f"{name[:80]!r} is not a plain file")
        self.sizes_bytes: Mapping[str, int] = {name: status.st_size for name, status in found.items()}

    def pieces(self, name: str) -> Iterator[bytes]:
        """See `Opened`."""
        try:
            with _plain(self._folder / name, self.name) as file:
                while piece := file.read(CHUNK_BYTES):
                    yield piece
        except OSError as error:
            raise refused(self.name, f"{name} cannot be read ({error.strerror})") from error


class _File:
    def __init__(self, name: str, packed: zipfile.ZipFile) -> None:
        self.name = name
        self._packed = packed
        entries = packed.infolist()
        for entry in entries:
            if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
                raise refused(name, f"{entry.filename[:80]!r} is not a plain file")
            if entry.compress_type != zipfile.ZIP_STORED:
                raise refused(name, f"{entry.filename[:80]!r} is compressed, which no update is")
        self.sizes_bytes: Mapping[str, int] = {entry.filename: entry.file_size for entry in entries}
        if len(self.sizes_bytes) != len(entries):
            raise refused(name, "two files in it have one name")

    def pieces(self, name: str) -> Iterator[bytes]:
        """See `Opened`."""
        try:
            with self._packed.open(name) as file:
                while piece := file.read(CHUNK_BYTES):
                    yield piece
        except ZIP_FAULTS as error:
            raise refused(self.name, f"{name} cannot be read ({error})") from error


def _plain(file: Path, bundle: str) -> io.BufferedReader:
    """A plain file, no link and no pipe."""
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    opened = open(handle, "rb")  # noqa: PTH123, SIM115  (a descriptor; whoever asked closes it)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        opened.close()
        raise refused(bundle, f"{file.name} is not a plain file")
    return opened
