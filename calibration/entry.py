# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One line of a set's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A drawn box, as fractions (0..1) of the image: (row, column) of its corner, and its size."""

    name: str
    row: float
    column: float
    rows: float
    columns: float

    def __post_init__(self) -> None:
        corner, size = (self.row, self.column), (self.rows, self.columns)
        for start, length in zip(corner, size, strict=True):
            if not (0.0 <= start <= 1.0 and 0.0 < length <= 1.0):
                message = f"{self.name!r} is not inside the image: fractions of 0 to 1 are wanted"
                raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An image and what is known about it. Unknown is None."""

    file: str
    sha256: str
    group: str
    scanner: str | None
    view: str | None
    kvp: float | None
    age_years: float | None
    sex: str | None
    source: str | None
    reference: str | None
    reference_sha256: str | None
    labels: Mapping[str, bool | None]
    boxes: tuple[Box, ...]
