# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the data folder still lies on the disk that it lay on when the process started.

A disk that vanished and was mounted again has the same names, but everything that a process holds (locks,
watches, open files) belongs to the one that has gone: it has to start anew.
"""

from __future__ import annotations

import os
from pathlib import Path

from appliance.errors import ScansideError, StoreError
from appliance.intake.claim import Spool
from appliance.store.connection import Database


class DiskReplacedError(StoreError):
    """The process ends, and starts on the disk that is there now."""

    def __init__(self) -> None:
        super().__init__(
            "The disk of the data folder was mounted anew.", remedy="Work starts again by itself."
        )


def in_words(error: ScansideError | OSError) -> ScansideError:
    """The disk's words as ours."""
    if isinstance(error, ScansideError):
        return error
    return StoreError(
        f"The spool cannot be used ({error.strerror or type(error).__name__}).",
        remedy="Check that its disk is mounted, writable and healthy.",
    )


class Volume:
    """The mount that a data folder was found on, and what is kept there."""

    def __init__(self, folder: Path, spool: Spool, database: Database) -> None:
        self._folder = folder
        self._mount = _mount_of(folder)
        self._spool = spool
        self._database = database

    def require_both(self) -> None:
        """Spool and store take something now, or StoreError: asked after trouble, until they do."""
        self._spool.require_room(0)
        with self._spool.receive():
            pass  # made, and removed again
        with self._database.transaction() as write:
            version = write("PRAGMA user_version")[0][0]
            write(f"PRAGMA user_version={version}")  # the smallest change that reaches the disk

    def was_replaced(self) -> bool:
        """Another one is there now. False also while there is none."""
        now = _mount_of(self._folder)
        return None not in (now, self._mount) and now != self._mount


def _mount_of(folder: Path) -> str | None:
    """The kernel's number of the mount (proc(5), fdinfo); None where the folder cannot be looked at."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text(encoding="ascii").splitlines()
        return next((line for line in lines if line.startswith("mnt_id:")), None)
    except OSError:
        return None
    finally:
        os.close(fd)
