# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""SQLite's way to the disk, with one step more: what it flushes is read back before the flush counts as done.

SQLite checks what it reads, not what it has written: a card that takes a page of the log and forgets it would
be found out at the next start, when the commit has long been acknowledged. Here each flush compares what the
file gives back with what was written, so that a lie ends in a commit that fails.
"""

from __future__ import annotations

import functools
import hashlib
import os
from contextlib import suppress
from typing import Final

import apsw

NAME: Final = "scanside-read-back"
SYSTEM: Final = "unix"
"""SQLite's own way to the disk, which does all the work."""
_LOG_ENDING: Final = "-wal"


@functools.cache
def reads_back() -> str:
    """The name to open a store with; made known to SQLite at the first call."""
    _VFS.append(_ReadBack())
    return NAME


_VFS: Final[list[apsw.VFS]] = []
"""It lives as long as the process: SQLite keeps no reference of its own."""


class _ReadBack(apsw.VFS):
    def __init__(self) -> None:
        super().__init__(NAME, base=SYSTEM)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  (SQLite's)
        """Every file that SQLite opens."""
        return _File(name, flags)


class _File(apsw.VFSFile):
    """One open file, and what was written to it since its last flush."""

    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(SYSTEM, name, flags)
        self._written: dict[int, tuple[int, bytes]] = {}
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        # Only of the log: closing a second handle of the store itself would end this process's locks on it.
        self._log = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path and path.endswith(_LOG_ENDING) else None

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """Write, and remember what."""
        super().xWrite(data, offset)
        self._written[offset] = (len(data), _digest(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        """What was cut off need not come back."""
        super().xTruncate(newsize)
        self._written = {
            offset: (size, digest)
            for offset, (size, digest) in self._written.items()
            if offset + size <= newsize
        }

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: N802
        """A checkpoint begins: what an earlier one wrote and did not flush may be another process's by now.

        SQLite flushes the store only when a checkpoint has come to the end of the log. One that a reader held
        up leaves pages behind that any process may write anew meanwhile.
        """
        if op == apsw.SQLITE_FCNTL_CKPT_START:
            self._written.clear()
        return super().xFileControl(op, ptr)

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Flush, and compare. Raises apsw.IOError: SQLite then takes the commit back."""
        written, self._written = self._written, {}
        try:
            super().xSync(flags)
        finally:
            self._forget_cache()  # after a failed flush, too: the cache holds what the disk does not
        for offset, (size, digest) in written.items():
            if _digest(super().xRead(size, offset)) != digest:
                raise apsw.IOError("the disk gave back other bytes than were written to the store")

    def xClose(self) -> None:  # noqa: N802
        """Close both handles."""
        if self._log is not None:
            os.close(self._log)
            self._log = None
        super().xClose()

    def _forget_cache(self) -> None:
        if self._log is not None:
            with suppress(OSError):  # not on every file system; the comparison then reads the cache
                os.posix_fadvise(self._log, 0, 0, os.POSIX_FADV_DONTNEED)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
