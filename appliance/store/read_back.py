# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""SQLite's way to the disk, with one step more: what it flushes is read back before the flush counts as done.

SQLite checks what it reads, not what it has written: a card that takes a page of the log and forgets it would
be found out at the next start, when the commit has long been acknowledged. Here each flush compares what the
file gives back with what was written, so that a lie ends in a commit that fails.

Only what this process alone may write meanwhile is compared: frames of the log while it holds the lock of the
writer, pages of the store while it moves the log. Where SQLite moves a part of the log it leaves the pages
unflushed, and another process may write them anew: they are flushed and compared before the lock is given up.
"""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from typing import Final

import apsw

NAME: Final = "scanside-read-back"
SYSTEM: Final = "unix"
"""SQLite's own way to the disk, which does all the work."""
LIE: Final = "the disk gave back other bytes than were written to the store"
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
        self._lies: list[str] = []

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  (SQLite's)
        """Every file that SQLite opens."""
        return _File(name, flags, self._lies)


class _File(apsw.VFSFile):
    """One open file, and what was written to it since its last flush."""

    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int], lies: list[str]) -> None:
        """`lies`: found in any file where SQLite does not listen; the next flush raises them."""
        super().__init__(SYSTEM, name, flags)
        self._lies = lies
        self._written: dict[int, bytes] = {}
        """The bytes and no digest of them: comparing is ten times cheaper, and one commit is a few MB."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        # Only of the log: closing a second handle of the store itself would end this process's locks on it.
        self._log = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path and path.endswith(_LOG_ENDING) else None

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """Write, and remember what."""
        try:
            super().xWrite(data, offset)
        except BaseException:
            self._written.clear()  # what it belongs to is taken back, and others may write there
            raise
        self._written[offset] = data

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        """What was cut off need not come back."""
        super().xTruncate(newsize)
        self._written = {
            offset: data for offset, data in self._written.items() if offset + len(data) <= newsize
        }

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Flush, and compare. Raises apsw.IOError: SQLite then takes the commit back."""
        self._flush_and_compare(flags)
        if self._lies:
            raise apsw.IOError(self._lies.pop())

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: N802
        """At the end of moving the log, the last moment before others may: SQLite ignores what it answers."""
        if op == apsw.SQLITE_FCNTL_CKPT_DONE and self._written:
            try:
                self._flush_and_compare(apsw.SQLITE_SYNC_NORMAL)
            except apsw.Error as error:
                self._lies.append(str(error))
        return super().xFileControl(op, ptr)

    def _flush_and_compare(self, flags: int) -> None:
        written, self._written = self._written, {}
        try:
            super().xSync(flags)
        finally:
            self._forget_cache()  # after a failed flush, too: the cache holds what the disk does not
        for offset, data in written.items():
            if super().xRead(len(data), offset) != data:
                raise apsw.IOError(LIE)

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
