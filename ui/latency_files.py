# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's own files: those that were shipped, and those that this device wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import resources
from pathlib import Path
from typing import Any, Final

MAX_BYTES: Final = 4 * 1024**2
"""A whole run takes some 100 kB."""
_SHIPPED: Final = ("benchmarks", "results")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatencyFile:
    """One file."""

    name: str
    is_here: bool
    """Measured on this device; False: it came with the software."""
    written_at_utc: datetime | None
    """Of this device's files; a shipped file has the date of its unpacking, which says nothing."""
    content: dict[str, Any] | None
    """None: it cannot be read."""


def read_latency_files(bench: Path) -> tuple[LatencyFile, ...]:
    """This device's files (those in the folder `bench`) first."""
    return (*_here(bench), *_shipped())


def _here(folder: Path) -> Iterator[LatencyFile]:
    for file in sorted(folder.glob("*.json")):
        try:
            written = datetime.fromtimestamp(file.stat().st_mtime, tz=timezone.utc)
        except OSError:
            written = None
        yield LatencyFile(name=file.name, is_here=True, written_at_utc=written, content=_content(file))


def _shipped() -> Iterator[LatencyFile]:
    package, folder = _SHIPPED
    try:
        root = resources.files(package).joinpath(folder)
        files = sorted(Path(str(entry)) for entry in root.iterdir() if entry.name.endswith(".json"))
    except (ModuleNotFoundError, OSError):
        return  # installed without the benchmarks
    for file in files:
        yield LatencyFile(name=file.name, is_here=False, written_at_utc=None, content=_content(file))


def _content(file: Path) -> dict[str, Any] | None:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        plain = json.loads(content) if len(content) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) else None
