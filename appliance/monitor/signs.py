# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Small files that say how a process is doing: under `run/`, and in memory while the disk takes nothing.

A full, read-only or vanished disk is when they are needed most: without them a process that waits for it
would look as if it hung, and be killed for it.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108  (the folder's owner is checked)
"""A file system that no disk stands behind."""
PART_ENDING: Final = ".part"


def write_sign(run: Path, name: str, content: str) -> None:
    """Replace it, whole; nobody waits for the disk. Never raises."""
    try:
        _write(run, name, content)
    except OSError:
        with suppress(OSError):
            spare = _spare(run)
            spare.mkdir(mode=0o755, exist_ok=True)
            if _is_ours(spare, run):
                _write(spare, name, content)
    else:
        _forget_spare(run, name)


def clear_sign(run: Path, name: str) -> None:
    """It holds no longer. Never raises."""
    with suppress(OSError):
        (run / name).unlink(missing_ok=True)
    _forget_spare(run, name)


def read_signs(run: Path, name: str) -> tuple[str, ...]:
    """What lies there under this name, the one in memory first: it is the newer one. Never raises."""
    found = []
    for folder in (_spare(run), run):
        with suppress(OSError, ValueError):
            if folder == run or _is_ours(folder, run):
                found.append((folder / name).read_text(encoding="utf-8"))
    return tuple(found)


def _write(folder: Path, name: str, content: str) -> None:
    part = folder / (name + PART_ENDING)
    try:
        part.write_text(content, encoding="utf-8")
        part.replace(folder / name)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _forget_spare(run: Path, name: str) -> None:
    """Nothing outside the data folder is touched where there is nothing to remove."""
    spare = _spare(run) / name
    with suppress(OSError):
        if spare.exists():
            spare.unlink(missing_ok=True)


def _spare(run: Path) -> Path:
    """Named by the place of the data folder, so that every process finds the same one."""
    place = hashlib.sha256(os.fsencode(os.path.realpath(run))).hexdigest()[:16]
    return MEMORY / f"scanside-{place}"


def _is_ours(spare: Path, run: Path) -> bool:
    """Anybody may make folders there: only that of root, of us or of the data folder's owner counts."""
    status = spare.lstat()
    owners = {0, os.geteuid()}
    with suppress(OSError):
        owners.add(run.stat().st_uid)
    return not spare.is_symlink() and status.st_uid in owners
