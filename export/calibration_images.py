# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The images of a calibration set as inputs, apart: to take ranges from, and to compare on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from calibration.dataset import CalibrationSet
from export.recipe import Recipe
from export.session import Tensors

EVERY: Final = 4
"""One image in four is kept out of the ranges, to compare them on."""
MOST_COMPARED: Final = 16
"""Images on which methods are compared."""
MOST_COLLECTED: Final = 128
"""Images that ranges are taken from; each costs seconds. A bound on time, not a need."""
FEWEST_TO_SPLIT: Final = 8
"""With fewer images nothing is kept out; the comparison then flatters, and says so."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationImages:
    """The images of a set as inputs, apart: to take ranges from, and to compare on."""

    images: CalibrationSet
    recipe: Recipe

    @property
    def splits(self) -> bool:
        """Whether there are enough to keep some out."""
        return len(self.images.entries) >= FEWEST_TO_SPLIT

    def compared(self) -> list[Tensors]:
        """Kept out of the ranges, where there are enough; few enough to be held in memory."""
        wanted = (item for index, item in self._all() if not self.splits or index % EVERY == 0)
        return [item for item, _ in zip(wanted, range(MOST_COMPARED), strict=False)]

    def collected(self) -> Iterator[Tensors]:
        """What ranges are taken from."""
        wanted = (item for index, item in self._all() if not self.splits or index % EVERY != 0)
        for item, _ in zip(wanted, range(MOST_COLLECTED), strict=False):
            yield item

    def _all(self) -> Iterator[tuple[int, Tensors]]:
        return enumerate(self.images.tensors(self.recipe.card))
