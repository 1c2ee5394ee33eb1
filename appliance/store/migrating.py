# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The versions of the store, and the copy that is kept of an older one before it is brought up to date.

Older software cannot read a newer store. The copy is its way back (processes/step_back.py): whole, as it
stood at the last commit of the old software, read back from the disk before the first change is made.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Final

import apsw

from appliance.durable import CHUNK_BYTES, came_back, make_folder, sync_folder
from appliance.errors import StoreError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BEFORE: Final = "before"
"""Folder beside the store."""
_KEPT: Final = re.compile(r"v(?P<version>[1-9][0-9]{0,5})\.sqlite")


def migrations() -> list[Path]:
    """From one version to the next, in order: this software reads a store of version len(migrations())."""
    return sorted(MIGRATIONS.glob("*.sql"))


def kept_store(file: Path, *, most: int) -> Path | None:
    """The newest copy of a version up to `most`; None: none is kept."""
    found = {
        int(match["version"]): path
        for path in (file.parent / BEFORE).glob("*")
        if (match := _KEPT.fullmatch(path.name)) is not None
    }
    return next((found[version] for version in sorted(found, reverse=True) if version <= most), None)


def keep_before(file: Path, version: int) -> Path:
    """Copy the store as it was last committed. Call while nobody can commit; may be called again.

    Raises StoreError when there is no room or the copy is not whole, OSError, apsw.Error.
    """
    folder = file.parent / BEFORE
    make_folder(folder)
    copy = folder / f"v{version}.sqlite"
    part = copy.with_name(copy.name + ".part")
    part.unlink(missing_ok=True)
    needed_bytes = 2 * sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*"))
    if shutil.disk_usage(folder).free < needed_bytes:
        raise StoreError(
            f"There is no room to keep a copy of the store: {needed_bytes // 1024**2 + 1} MiB are needed.",
            remedy="Free some space; the store is as the older software left it.",
        )
    source = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    target = apsw.Connection(str(part))
    try:
        with target.backup("main", source, "main") as backup:
            backup.step()
        target.execute("PRAGMA journal_mode=DELETE").fetchall()
        found = target.execute("PRAGMA quick_check(1)").fetchall()
    finally:
        target.close()
        source.close()
    if found != [("ok",)] or not came_back(part, sha256=_sha256(part)):
        raise StoreError(
            f"The copy of the store in {folder} is not whole.",
            remedy="Check the disk; the store is as the older software left it.",
        )
    part.replace(copy)
    sync_folder(folder)
    return copy


def _sha256(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()
