# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grey values for exactly the pixels of the screen: pyramid, affine sampling, one table look-up. No Qt.

The cost depends on the screen's size, not on the image's; a change of contrast only repeats the look-up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ui.display_table import lookup_for
from ui.viewport import Viewport

SHARP_ABOVE_ZOOM: Final = 2.0
"""Above this many screen pixels per image pixel the pixels are shown as they are, not blended."""
SMALLEST_LEVEL_PX: Final = 64
"""No level of the pyramid is smaller than this."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Painted:
    """A grey picture and where its first pixel goes on the screen (x, y)."""

    grey: NDArray[np.uint8]
    x: int
    y: int


class Pyramid:
    """One frame at full, half, quarter ... size; levels are made when first asked for."""

    def __init__(self, stored: NDArray[Any]) -> None:
        self._levels = [stored]

    def level(self, zoom: float) -> NDArray[Any]:
        """The smallest level that still has at least one of its pixels per screen pixel."""
        depth = max(0, math.floor(math.log2(1 / zoom))) if zoom < 1 else 0
        while len(self._levels) <= depth:
            finest = self._levels[-1]
            rows, columns = finest.shape[0] // 2, finest.shape[1] // 2
            if min(rows, columns) < SMALLEST_LEVEL_PX:
                break
            self._levels.append(cv2.resize(finest, (columns, rows), interpolation=cv2.INTER_AREA))
        return self._levels[min(depth, len(self._levels) - 1)]


class FrameRenderer:
    """Paints one frame; keeps what it sampled, so that only a table change costs a look-up alone."""

    def __init__(self, stored: NDArray[Any], stored_low: int) -> None:
        self._pyramid = Pyramid(stored)
        self._stored_low = stored_low
        self._sampled: tuple[Viewport, NDArray[Any], int, int] | None = None
        self._lookup: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    def paint(self, viewport: Viewport, table: NDArray[np.uint8]) -> Painted | None:
        """The visible part of the frame; None when none of it is visible.

        `table`: shape (65536,), indexed with stored - stored_low.
        """
        if self._sampled is None or self._sampled[0] != viewport:
            self._sampled = self._sample(viewport)
        if self._sampled is None:
            return None
        _, sampled, x, y = self._sampled
        if self._lookup is None or self._lookup[0] is not table:
            self._lookup = (table, lookup_for(sampled.dtype, table, self._stored_low))
        bits = sampled if sampled.dtype.itemsize == 1 else sampled.view(np.uint16)
        return Painted(grey=np.asarray(cv2.LUT(bits, self._lookup[1]), dtype=np.uint8), x=x, y=y)

    def _sample(self, viewport: Viewport) -> tuple[Viewport, NDArray[Any], int, int] | None:
        rows, columns = viewport.shape_px
        left, top = viewport.to_screen((-0.5, -0.5))
        right, bottom = viewport.to_screen((rows - 0.5, columns - 0.5))
        x, y = max(0, round(left)), max(0, round(top))
        width = min(viewport.size_px[0], round(right)) - x
        height = min(viewport.size_px[1], round(bottom)) - y
        if width <= 0 or height <= 0:
            return None
        level = self._pyramid.level(viewport.zoom * max(1.0, viewport.aspect))
        zoom_x = viewport.zoom * columns / level.shape[1]
        zoom_y = viewport.zoom * viewport.aspect * rows / level.shape[0]
        # Corner-based: screen = level * zoom + offset. OpenCV counts from pixel centres: half a pixel each.
        matrix = np.array(
            [
                [zoom_x, 0.0, left - x + zoom_x / 2 - 0.5],
                [0.0, zoom_y, top - y + zoom_y / 2 - 0.5],
            ]
        )
        sharp = viewport.zoom > SHARP_ABOVE_ZOOM
        sampled = cv2.warpAffine(
            level,
            matrix,
            (width, height),
            flags=cv2.INTER_NEAREST if sharp else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return viewport, np.asarray(sampled), x, y
