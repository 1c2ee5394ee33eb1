# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a file so that it is either whole and durable, or not there at all.

A write that the system says has succeeded is not believed: the bytes are flushed, dropped from memory, read
back and compared before the file gets its name. After a flush that failed nothing is tried on the same
file again (the kernel forgets what it could not write): the part is removed, and whoever made the content
makes it again.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Buffer, Self

PART_SUFFIX = ".part"
CHUNK_BYTES: Final = 1 << 20
"""Read back at a time: large enough to be one system call's worth, small enough for any memory."""


class WholeFile:
    """A file that is written piece by piece, and gets its name when every byte was read back from the disk.

    A context manager. Leaving the block with an error, or before `finish`, removes what was written. The
    name is durable once its folder was flushed (`sync_folder`).
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path
        self._part = path.with_name(path.name + PART_SUFFIX)
        self._file = self._part.open("wb")
        self._hash = hashlib.sha256()
        self._finished = False

    def write(self, content: Buffer) -> int:
        """Append. Raises OSError. Returns how many bytes that were, as any file does."""
        self._hash.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        """Hand what was written to the system, as any file does. Raises OSError."""
        self._file.flush()

    def finish(self) -> None:
        """Everything is written: prove it, and give the file its name. Raises OSError."""
        self._file.flush()
        if not came_back(self._part, sha256=self._hash.hexdigest()):
            raise OSError(errno.EIO, "The disk gave back other bytes than were written", str(self._path))
        self._part.replace(self._path)
        self._finished = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what is left in its buffer belongs to a file that failed
            self._file.close()
        if not self._finished:
            with suppress(OSError):
                self._part.unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """Write beside, flush to the disk, read back, rename, flush the folder. Raises OSError."""
    write_whole(path, content)
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """As `write_durably`, for many files of one folder, which is flushed at the end."""
    with WholeFile(path) as file:
        file.write(content)
        file.finish()


def came_back(path: Path, *, sha256: str) -> bool:
    """Flush a written file to the disk, and compare what the disk gives back. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
        with suppress(OSError):  # not on every file system; the comparison then reads the cache
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        read_back = hashlib.sha256()
        while chunk := os.read(fd, CHUNK_BYTES):
            read_back.update(chunk)
    finally:
        os.close(fd)
    return read_back.hexdigest() == sha256


def may_be_made(file: Path) -> bool:
    """Whether this user may write into the nearest folder above `file` that exists."""
    return os.access(next(path for path in file.absolute().parents if path.exists()), os.W_OK)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, such that its name outlives a power cut. Raises OSError."""
    make_folders((folder,))


def make_folders(folders: Iterable[Path]) -> None:
    """The same for several; the folder that they lie in is flushed once."""
    missing = [folder for folder in folders if not folder.is_dir()]
    if not missing:
        return
    for folder in missing:
        if folder.exists():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    above = {folder.parent for folder in missing}
    make_folders(above)
    for folder in missing:
        folder.mkdir(exist_ok=True)
    for folder in above:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make renames in this folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
