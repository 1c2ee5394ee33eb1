# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which files in the watched folders were dealt with: saves a restart from reading a large inbox again.

Only a memory, never a promise: a file that is missing here is read again and recognised by its content.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.store.connection import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledFile:
    """A name in a watched folder, as it looked when it was dealt with."""

    path: Path
    size_bytes: int
    mtime_ns: int
    inode: int


class SettledFiles:
    """Remembers them across restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, *, remember: Iterable[SettledFile] = (), forget: Iterable[Path] = ()) -> None:
        """First drop those that are no longer there, then add or replace. One transaction."""
        with self._database.transaction() as write:
            for path in forget:
                write("DELETE FROM settled WHERE path = ?", (os.fsencode(path),))
            for file in remember:
                write(
                    "INSERT OR REPLACE INTO settled (path, size_bytes, mtime_ns, inode) VALUES (?, ?, ?, ?)",
                    (os.fsencode(file.path), file.size_bytes, file.mtime_ns, file.inode),
                )

    def every(self) -> Iterator[SettledFile]:
        """All that were remembered."""
        for path, size_bytes, mtime_ns, inode in self._database.read(
            "SELECT path, size_bytes, mtime_ns, inode FROM settled"
        ):
            yield SettledFile(
                path=Path(os.fsdecode(path)), size_bytes=size_bytes, mtime_ns=mtime_ns, inode=inode
            )
