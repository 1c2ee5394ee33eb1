# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Room on the disk that only the store may use: given up when something else has filled the disk.

On a full disk SQLite can neither commit nor, after a restart, read (it has to make the files of its log). The
few files kept here hold bytes and inodes for that. They come back by themselves when there is room.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

ENDING: Final = "-reserve-"
FILES: Final = 4
"""SQLite wants two (its log and the log's index) of which a disk may have no inode left."""
FILE_BYTES: Final = 2 << 20
"""Four of them hold twice a log at its usual longest: 1000 pages of 4 KiB (sqlite.org/wal.html)."""
ROOM_FACTOR: Final = 4
"""It is kept back only where this many times as much is free."""


class Reserve:
    """Files of zeros beside the store."""

    def __init__(self, store: Path) -> None:
        self._names = [store.with_name(f"{store.name}{ENDING}{number}") for number in range(FILES)]

    def keep(self) -> None:
        """Lay by what is missing, where there is room. Never raises: a device without it works, too."""
        with suppress(OSError):
            missing = [name for name in self._names if not name.exists()]
            if missing and shutil.disk_usage(self._names[0].parent).free > ROOM_FACTOR * FILES * FILE_BYTES:
                for name in missing:
                    _take_up(name)

    def give_up(self) -> bool:
        """Free it for the store. False: there was none, or it cannot be freed."""
        freed = False
        with suppress(OSError):
            for name in self._names:
                if name.exists():
                    name.unlink()
                    freed = True
        return freed


def _take_up(file: Path) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, FILE_BYTES)
    finally:
        os.close(fd)
