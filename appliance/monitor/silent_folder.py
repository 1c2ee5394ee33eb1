# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How the watcher's sign of life says that a watched folder does not answer, and how that is read again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WORDS: Final = re.compile(r"The share (?P<path>.+?) does not answer since (?P<since>\d\d:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentFolder:
    """A watched folder whose file system does not come back with an answer."""

    path: str
    since: str
    """The time of day here, "14:02"."""

    @property
    def words(self) -> str:
        """For people."""
        return f"The share {self.path} does not answer since {self.since}"


def silent_words(folder: Path, since: str) -> str:
    """To say it. What is not UTF-8 in the path is shown escaped."""
    path = str(folder).encode("utf-8", "backslashreplace").decode("utf-8")
    return SilentFolder(path=path, since=since).words


def silent_folders(state: str) -> tuple[SilentFolder, ...]:
    """Those that a watcher's state names."""
    return tuple(SilentFolder(path=found["path"], since=found["since"]) for found in _WORDS.finditer(state))
