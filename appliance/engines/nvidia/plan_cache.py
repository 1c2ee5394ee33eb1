# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What was built on this device, kept under everything that makes it valid, and checked before it is used.

A plan is code for a GPU. It lies in the appliance's own data folder, beside its SHA-256 and the whole key
it was built under: a damaged one, one of another GPU, driver, library or model is not read but built anew.
(That guards against damage and mix-ups. Who can write into the data folder can do anything anyway.)
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.domain.record import from_json, to_json

NAME_CHARACTERS: Final = 32
"""Of the key's hash in a file name: 128 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanKey:
    """Everything that makes a plan valid."""

    model_sha256: str
    """Of the ONNX file that it was built from; empty for what is kept across models (timings)."""
    engine: str
    version: str
    device: str
    """Driver, GPU and compute capability: `Gpu.key`."""
    precision: str
    options: str
    """`BuildOptions.words`."""

    @property
    def name(self) -> str:
        """A file name for it."""
        return hashlib.sha256(to_json(self).encode("utf-8")).hexdigest()[:NAME_CHARACTERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Label:
    """What stands beside the bytes."""

    kind: str
    key: PlanKey
    sha256: str
    size_bytes: int


class PlanCache:
    """Plans, and what builders measured, in one folder. No folder: nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def _files(self, folder: Path, kind: str, key: PlanKey) -> tuple[Path, Path]:
        stem = f"{kind}-{key.engine}-{key.name}"
        return folder / f"{stem}.bin", folder / f"{stem}.json"

    def read(self, kind: str, key: PlanKey) -> bytes | None:
        """The bytes that were kept under exactly this key, or None when there are none to be trusted."""
        if self._folder is None:
            return None
        content_file, label_file = self._files(self._folder, kind, key)
        try:
            label = from_json(_Label, label_file.read_text(encoding="utf-8"))
            content = content_file.read_bytes()
        except (OSError, ValueError):
            return None
        told = (label.kind, label.key, label.sha256, label.size_bytes)
        if told != (kind, key, hashlib.sha256(content).hexdigest(), len(content)):
            self.forget(kind, key)
            return None
        return content

    def keep(self, kind: str, key: PlanKey, content: bytes) -> None:
        """Keep bytes; the label comes last, so that half a write is nothing. A full disk keeps nothing."""
        if self._folder is None:
            return
        label = _Label(
            kind=kind, key=key, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content)
        )
        content_file, label_file = self._files(self._folder, kind, key)
        with suppress(OSError):  # it serves all the same, and is built anew at the next start
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(content_file, content)
            _write(label_file, to_json(label).encode("utf-8"))

    def forget(self, kind: str, key: PlanKey) -> None:
        """Throw away what is kept under the key."""
        if self._folder is not None:
            for file in reversed(self._files(self._folder, kind, key)):
                with suppress(OSError):
                    file.unlink(missing_ok=True)


def _write(file: Path, content: bytes) -> None:
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.part")  # two processes may build at once
    with unfinished.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    unfinished.replace(file)
