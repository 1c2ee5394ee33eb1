# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Small calibration sets: real image files with known content."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np


def picture(path: Path, *, seed: int, brightness: float = 100.0, size: tuple[int, int] = (40, 32)) -> Path:
    """A grey PNG whose mean is near `brightness`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).normal(brightness, 20.0, size)
    assert cv2.imwrite(str(path), np.clip(values, 0, 255).astype(np.uint8))
    return path


def table(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """A CSV of these rows, all with the columns of the first."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def rewrite(manifest: Path, **changes: str) -> None:
    """The first line of a manifest with other values in some columns."""
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0].update(changes)
    table(manifest, rows)
