# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a file so that it is either whole and durable, or not there at all."""

from __future__ import annotations

import os
from pathlib import Path

PART_SUFFIX = ".part"


def write_durably(path: Path, content: bytes) -> None:
    """Write beside, flush to the disk, rename, flush the folder. Raises OSError with nothing changed."""
    write_whole(path, content)
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write beside, flush to the disk, rename. For many files of one folder, which is flushed at the end."""
    part = path.with_name(path.name + PART_SUFFIX)
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def sync_folder(folder: Path) -> None:
    """Make renames in this folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
