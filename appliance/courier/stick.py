# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a bundle onto a stick so that it is whole, was read back, and has its name, or is not there."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from appliance.courier.archive import CHUNK_BYTES
from appliance.courier.sealing import Source, seal
from appliance.durable import PART_SUFFIX, WholeFile
from appliance.errors import DeliveryError, ScansideError

Progress = Callable[[int], None]
"""Told how many more bytes are done."""
KEPT_FREE_BYTES: Final = 8 * 1024**2
"""Left on a stick for the receipts, and for what its file system needs itself."""
BUNDLE_MODE: Final = 0o600


class Counted:
    """A file that is hashed and counted as it is written."""

    def __init__(self, file: BinaryIO | WholeFile, progress: Progress) -> None:
        self._file = file
        self._progress = progress
        self.digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, piece: bytes) -> int:
        """Append, and tell the progress. Raises OSError."""
        self._file.write(piece)
        self.digest.update(piece)
        self.size_bytes += len(piece)
        self._progress(len(piece))
        return len(piece)

    def flush(self) -> None:
        """As any file does. Raises OSError."""
        self._file.flush()


def room_on(folder: Path) -> int:
    """Bytes that a bundle may take there. Raises OSError."""
    return max(0, shutil.disk_usage(folder).free - KEPT_FREE_BYTES)


def part_of(file: Path) -> Path:
    """What a bundle is called until it is whole."""
    return file.with_name(file.name + PART_SUFFIX)


def write_part(file: Path, source: Source, recipients: list[Any], *, progress: Progress) -> tuple[str, int]:
    """Encrypt `source` into the part file of `file`, flush it to the stick and read it back from there.

    Returns its SHA-256 and its size in bytes. Raises OSError, and DeliveryError when the stick gives back
    something else; then nothing stays there, if the stick can still be reached.
    """
    part = part_of(file)
    with _removed_after_trouble(part):
        with open_new(part) as opened:
            counted = Counted(opened, progress)
            seal(source, counted, recipients)
            opened.flush()
            os.fsync(opened.fileno())
            os.posix_fadvise(
                opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED
            )  # what is read next is the stick's
        sha256 = counted.digest.hexdigest()
        if hash_of(part, progress=progress) != sha256:
            raise DeliveryError(
                f"The stick at {file.parent} gives back something else than was written.",
                remedy="It is faulty: throw it away, and pack again with another one.",
                permanent=False,
            )
    return sha256, counted.size_bytes


def give_name(file: Path) -> None:
    """The part file becomes the bundle. Raises OSError."""
    part_of(file).rename(file)
    sync_folder(file.parent)


def write_small(file: Path, content: bytes) -> None:
    """As durable.write_durably, but never through a link that lies there already. Raises OSError."""
    part = part_of(file)
    with open_new(part) as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    give_name(file)


def hash_of(file: Path, *, progress: Progress | None = None) -> str | None:
    """SHA-256 of a plain file; None when there is none under that name, a link included. Raises OSError."""
    digest = hashlib.sha256()
    try:
        opened = open_plain(file)
    except FileNotFoundError:
        return None
    if opened is None:
        return None
    with opened:
        while piece := opened.read(CHUNK_BYTES):
            digest.update(piece)
            if progress is not None:
                progress(len(piece))
    return digest.hexdigest()


def open_new(part: Path) -> BinaryIO:
    """A new file in the place of whatever lies there: a link is removed, not followed. Raises OSError."""
    part.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return os.fdopen(os.open(part, flags, BUNDLE_MODE), "wb", buffering=CHUNK_BYTES)


def open_plain(file: Path) -> BinaryIO | None:
    """Open to read; None when it is no plain file: a link, a folder, a pipe, a device. Raises OSError."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    return os.fdopen(handle, "rb", buffering=CHUNK_BYTES)


def remove(file: Path) -> None:
    """Gone, if it can be reached."""
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return


@contextmanager
def _removed_after_trouble(part: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ScansideError):
        remove(part)
        raise


def sync_folder(folder: Path) -> None:
    """As durable.sync_folder; some file systems of sticks have nothing to flush there and say so."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)
