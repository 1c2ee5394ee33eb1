# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The work folder: each step's result as JSON beside the files it made, so that a stopped run goes on.

A step is done again when anything it was made from is different: a file's content, an option, a version
of a library. What is found done is believed only if its files are still the ones that were made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from appliance.clock import NS_PER_S, Clock

LIBRARIES: Final = ("onnx", "onnxruntime", "onnxslim", "numpy")
"""Whose versions are part of what a step was made from."""
STEP_FORMAT: Final = 1

Progress = Callable[[str, int, int], None]
"""Called with a step's name, how much of it is done and how much there is."""


def sha256_of(path: Path) -> str:
    """Of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _plain(value: Any) -> Any:
    """What JSON knows; a path is its content."""
    if isinstance(value, Path):
        return sha256_of(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


class WorkFolder:
    """Steps and their files. One owner."""

    def __init__(self, folder: Path, *, clock: Clock, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """Where a file of this run lies."""
        return self.folder / name

    def step(
        self,
        name: str,
        *,
        given: Mapping[str, Any],
        makes: Sequence[str],
        do: Callable[[], Mapping[str, Any]],
    ) -> dict[str, Any]:
        """The step's result: as it was kept if nothing has changed, else by doing it.

        `do` writes the files of `makes` into the folder and returns what JSON can hold.
        """
        made_from = _plain(given) | {"libraries": {library: version(library) for library in LIBRARIES}}
        record = self.path(f"{name}.json")
        kept = self._kept(record, made_from, makes)
        if kept is not None:
            self.progress(f"{name} (as before)", 1, 1)
            return kept
        self.progress(name, 0, 1)
        record.unlink(missing_ok=True)
        start_ns = self._clock.monotonic_ns()
        result = dict(do())
        took_s = (self._clock.monotonic_ns() - start_ns) / NS_PER_S
        content = {
            "format": STEP_FORMAT,
            "step": name,
            "made_from": made_from,
            "made": {item: sha256_of(self.path(item)) for item in makes},
            "took_s": round(took_s, 3),
            "result": result,
        }
        unfinished = record.with_suffix(".part")
        unfinished.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        unfinished.rename(record)
        self.progress(name, 1, 1)
        return dict(json.loads(json.dumps(result)))

    def _kept(self, record: Path, made_from: Any, makes: Sequence[str]) -> dict[str, Any] | None:
        try:
            content = json.loads(record.read_text(encoding="utf-8"))
            same = content["format"] == STEP_FORMAT and content["made_from"] == json.loads(
                json.dumps(made_from)
            )
            if same and all(content["made"][name] == sha256_of(self.path(name)) for name in makes):
                return dict(content["result"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, cut off, or of another version: it is done again
        return None
