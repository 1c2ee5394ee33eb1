# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the picture lies under the glass: zoom and position, as a value. No Qt, no pixels.

Screen points are (x, y) in device pixels of the image area; picture points are (row, column) in source
pixels with the centre of the first pixel at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

LARGEST_ZOOM: Final = 16.0
"""Screen pixels per image pixel: a pixel of a detector is then a square that a finger can point at."""
_LEAST_ON_SCREEN: Final = 0.25
"""Share of the image area that the picture's centre region can never leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewport:
    """A picture of `shape_px` (rows, columns) seen through an area of `size_px` (width, height)."""

    shape_px: tuple[int, int]
    size_px: tuple[int, int]
    aspect: float
    """Height of an image pixel over its width: row spacing over column spacing, 1 when unknown."""
    zoom: float
    """Screen pixels per image column."""
    center: tuple[float, float]
    """(row, column), corner-based: what lies under the middle of the area."""
    is_fit: bool
    """Follow the size of the area."""

    def to_screen(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a picture point (row, column) lies on the screen."""
        row, column = point
        return (
            (column + 0.5 - self.center[1]) * self.zoom + self.size_px[0] / 2,
            (row + 0.5 - self.center[0]) * self.zoom * self.aspect + self.size_px[1] / 2,
        )

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """The picture point (row, column) under a screen point."""
        return (
            (y - self.size_px[1] / 2) / (self.zoom * self.aspect) + self.center[0] - 0.5,
            (x - self.size_px[0] / 2) / self.zoom + self.center[1] - 0.5,
        )

    def zoomed(self, factor: float, x: float, y: float) -> Viewport:
        """Zoomed by `factor` with the picture point under (x, y) staying there."""
        smallest = min(fit_zoom(self.shape_px, self.size_px, self.aspect), 1.0) / 2
        zoom = min(max(self.zoom * factor, smallest), LARGEST_ZOOM)
        row, column = self.to_picture(x, y)
        center = (
            row + 0.5 - (y - self.size_px[1] / 2) / (zoom * self.aspect),
            column + 0.5 - (x - self.size_px[0] / 2) / zoom,
        )
        return replace(self, zoom=zoom, center=center, is_fit=False).kept_in_sight()

    def panned(self, dx: float, dy: float) -> Viewport:
        """Moved with a finger by (dx, dy) screen pixels."""
        row, column = self.center
        center = (row - dy / (self.zoom * self.aspect), column - dx / self.zoom)
        return replace(self, center=center, is_fit=False).kept_in_sight()

    def resized(self, size_px: tuple[int, int]) -> Viewport:
        """For another area: fit stays fit, anything else keeps zoom and centre."""
        if self.is_fit:
            return fit(self.shape_px, size_px, aspect=self.aspect)
        return replace(self, size_px=size_px).kept_in_sight()

    def kept_in_sight(self) -> Viewport:
        """With the centre moved as little as is needed so that the picture cannot be lost."""
        rows, columns = self.shape_px
        margin_row = _LEAST_ON_SCREEN * self.size_px[1] / (self.zoom * self.aspect)
        margin_column = _LEAST_ON_SCREEN * self.size_px[0] / self.zoom
        row = _between(self.center[0], min(margin_row, rows / 2), max(rows - margin_row, rows / 2))
        column = _between(
            self.center[1], min(margin_column, columns / 2), max(columns - margin_column, columns / 2)
        )
        return replace(self, center=(row, column))


def fit(shape_px: tuple[int, int], size_px: tuple[int, int], *, aspect: float = 1.0) -> Viewport:
    """The whole picture, as large as it goes."""
    return Viewport(
        shape_px=shape_px,
        size_px=size_px,
        aspect=aspect,
        zoom=fit_zoom(shape_px, size_px, aspect),
        center=(shape_px[0] / 2, shape_px[1] / 2),
        is_fit=True,
    )


def fit_zoom(shape_px: tuple[int, int], size_px: tuple[int, int], aspect: float) -> float:
    """The zoom at which the whole picture just fits."""
    rows, columns = shape_px
    return max(1e-6, min(size_px[0] / columns, size_px[1] / (rows * aspect)))


def one_to_one(viewport: Viewport, *, device_pixel_ratio: float = 1.0) -> Viewport:
    """One image pixel per pixel of the panel, around the same centre.

    `device_pixel_ratio`: pixels of the panel per pixel of the window system.
    """
    return replace(viewport, zoom=1.0 / device_pixel_ratio, is_fit=False).kept_in_sight()


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
