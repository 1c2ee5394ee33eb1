# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Taking a file over: a copy that is durable, proven by reading it back, and named by its content.

    spool/<n>.part  ->  fsync  ->  read back and compare  ->  rename to spool/ab/<sha256>  ->  fsync folder

Everything after this step talks about bytes that cannot change any more. A `.part` is nobody's promise:
those that a crash left are swept away at the next start, while their source is still where it was.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Buffer, Self

from appliance.config import MIB
from appliance.durable import came_back, make_folders, sync_folder
from appliance.errors import InputError, StoreError
from appliance.intake.complete import Signature
from appliance.layout import Layout

RESERVE_BYTES: Final = 256 * MIB
"""Kept free for results and the store: on a full ext4 SQLite in WAL mode cannot even read."""
CHUNK_BYTES: Final = MIB
"""Read and hashed at a time: large enough to be one system call's worth, small enough for any memory."""
FLUSHES_AT_ONCE: Final = 8
"""Threads that wait for the disk together: one journal commit of the file system then serves them all."""
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_CANNOT_TELL: Final = frozenset({errno.EACCES, errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS})
"""What F_SETLEASE says where leases do not exist (shares) or the file is another user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A finished copy that is not durable yet and may still be thrown away."""

    path: Path
    sha256: str
    size_bytes: int


class NotPlainFileError(InputError):
    """Something in the inbox that is not a plain file of an allowed size. It is not opened, not copied."""


class Incoming:
    """A `.part` that is being written: hashed on the way. Leaving the block without `finish` removes it."""

    def __init__(self, folder: Path) -> None:
        with _disk_in_words(folder):
            self._fd, name = tempfile.mkstemp(dir=folder, suffix=".part")
        self._path = Path(name)
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        self._finished = False

    def write(self, content: Buffer) -> None:
        """Append. Raises StoreError when the disk does not take it."""
        view = memoryview(content)
        self._hash.update(view)
        self._size_bytes += len(view)
        with _disk_in_words(self._path):
            while view:
                view = view[os.write(self._fd, view) :]

    def finish(self) -> Part:
        """Everything is written; whether it will be kept is decided later."""
        self._finished = True
        return Part(path=self._path, sha256=self._hash.hexdigest(), size_bytes=self._size_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what it would say, the flush says again
            os.close(self._fd)
        if not self._finished or error is not None:
            _remove(self._path)


class Spool:
    """The folder of originals and the folder of copies that could not be used."""

    def __init__(self, layout: Layout, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._spool = layout.spool
        self._quarantine = layout.quarantine
        self.reserve_bytes = reserve_bytes

    def sweep(self) -> int:
        """Remove what an interrupted run was copying. Only at the start, before a door opens."""
        left = list(self._spool.glob("*.part"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def require_room(self, size_bytes: int) -> None:
        """Raise StoreError unless `size_bytes` more fit and the reserve stays free."""
        with _disk_in_words(self._spool):
            free_bytes = shutil.disk_usage(self._spool).free
        if free_bytes - size_bytes < self.reserve_bytes:
            raise StoreError(
                f"The disk of {self._spool} is full: {free_bytes // MIB} MiB are free, of which"
                f" {self.reserve_bytes // MIB} MiB are kept for results.",
                remedy="Free some space; receiving goes on by itself.",
            )

    def receive(self) -> Incoming:
        """A new part to write into. Raises StoreError."""
        return Incoming(self._spool)

    def copy(
        self,
        source: Path,
        signature: Signature,
        *,
        max_bytes: int,
        still_open_ok: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> Part | None:
        """Copy a file of the inbox, as it looked in `signature`, into a part.

        None: it changed meanwhile, or somebody still has it open for writing. `still_open_ok` takes it
        although it is open: for a writer that never lets go. `alive` is called for each MiB. Raises
        NotPlainFileError for what is not a plain file or too large, OSErrors of the source as they are
        (FileNotFoundError, PermissionError, ...), StoreError when the spool does not take it.
        """
        fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            size_bytes = require_plain(os.fstat(fd), max_bytes=max_bytes)
            if Signature.of(os.fstat(fd)) != signature or (not still_open_ok and open_for_writing(fd)):
                return None
            self.require_room(size_bytes)
            with self.receive() as incoming:
                while chunk := os.read(fd, CHUNK_BYTES):
                    incoming.write(chunk)
                    alive()
                if Signature.of(os.fstat(fd)) != signature:
                    return None
                return incoming.finish()
        finally:
            os.close(fd)

    def place_of(self, part: Part) -> Path:
        """Where the part will lie when it is kept."""
        return self._spool / part.sha256[:2] / part.sha256

    def aside_place_of(self, part: Part) -> Path:
        """Where the part will lie when it is set aside."""
        return self._quarantine / part.sha256[:2] / part.sha256

    def keep(self, places: Mapping[Path, Part]) -> None:
        """Make parts durable, each at its place (`place_of` or `aside_place_of`).

        Raises StoreError: then none may be relied on. Several at once cost little more than one: the disk
        flushes them together.
        """
        folders = {place.parent for place in places}
        with _disk_in_words(self._spool):
            make_folders(folders)
        if len(places) == 1:
            for place, part in places.items():
                _make_durable(part, place)
                _sync_folder(place.parent)
        elif places:
            with ThreadPoolExecutor(max_workers=FLUSHES_AT_ONCE) as pool:
                list(pool.map(_make_durable, places.values(), places))
                list(pool.map(_sync_folder, folders))

    def where(self, part: Part) -> Path:
        """Where its bytes lie now: in the part, or already at their place."""
        return part.path if part.path.exists() else self.place_of(part)

    def discard(self, part: Part) -> None:
        """Forget a part. A disk that does not even let it be removed keeps it until the next start."""
        _remove(part.path)


def require_plain(status: os.stat_result, *, max_bytes: int) -> int:
    """The size in bytes of a plain file. Raises NotPlainFileError for all else, or when it is too large."""
    for is_kind, words in (
        (stat.S_ISLNK, "a link; links are not followed"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISDIR, "a folder"),
    ):
        if is_kind(status.st_mode):
            raise NotPlainFileError(
                f"This is {words}, not a file.", remedy="Put the image file itself there."
            )
    if status.st_size > max_bytes:
        raise NotPlainFileError(
            f"The file has {status.st_size:,} bytes; at most {max_bytes:,} are taken.",
            remedy="Raise intake.max_file_bytes if this is an image.",
        )
    return status.st_size


def open_for_writing(fd: int) -> bool:
    """Whether anybody on this machine has the file behind `fd` open for writing. False: nobody, or unknown.

    The kernel grants a read lease only on a file without writers (fcntl(2), F_SETLEASE), so asking for one
    and giving it back answers the question. A writer who opens it in that moment waits for microseconds;
    its signal is moved to SIGURG, which does nothing by default.
    """
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno in _CANNOT_TELL:
            return False
        if error.errno == errno.EAGAIN:
            return True
        raise
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _make_durable(part: Part, place: Path) -> None:
    if not part.path.exists() and place.exists():
        return  # an attempt before this one came as far
    try:
        with _disk_in_words(place):
            _sync_and_read_back(part)
            part.path.rename(place)
    except StoreError:
        _remove(part.path)  # after a failed fsync its pages are not to be trusted
        raise


def _sync_and_read_back(part: Part) -> None:
    """Bring the bytes to the disk, and prove it: a disk that lies is found before anybody relies on it."""
    if not came_back(part.path, sha256=part.sha256):
        raise StoreError(
            f"The disk gave back other bytes than were written to {part.path.parent}.",
            remedy="Replace the disk or card; nothing of this file was acknowledged.",
        )


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    with _disk_in_words(folder):
        sync_folder(folder)


@contextmanager
def _disk_in_words(path: Path) -> Iterator[None]:
    """The disk's errors as ours: none of them may end in an acknowledgement."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StoreError(
                f"The disk of {path.parent} is full.", remedy="Free some space; receiving goes on by itself."
            ) from error
        raise StoreError(
            f"{path.parent} cannot be written ({error.strerror}).",
            remedy="Check that its disk is mounted, writable and healthy.",
        ) from error
