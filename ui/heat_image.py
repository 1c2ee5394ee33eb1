# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A heatmap as a see-through picture: colour by strength, nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QImage

LONGEST_SIDE_PX: Final = 768
"""Heatmaps come from maps of about 10 x 10 cells: more pixels show nothing more and cost memory."""
STRONGEST_OPACITY: Final = 0.55
"""The image stays readable under the strongest evidence (a heatmap must not hide the sign itself)."""


def heat_image(maps: Sequence[NDArray[np.uint8]]) -> QImage | None:
    """The strongest of all maps at each place, as premultiplied ARGB; None when there is no map."""
    if not maps:
        return None
    rows, columns = maps[0].shape
    shrink = min(1.0, LONGEST_SIDE_PX / max(rows, columns))
    size = max(1, round(columns * shrink)), max(1, round(rows * shrink))
    strength = np.zeros((size[1], size[0]), dtype=np.uint8)
    for one in maps:
        strength = np.maximum(strength, cv2.resize(one, size, interpolation=cv2.INTER_AREA))
    colour = cv2.applyColorMap(strength, cv2.COLORMAP_INFERNO).astype(np.float32)
    opacity = strength.astype(np.float32)[..., np.newaxis] / np.float32(255) * np.float32(STRONGEST_OPACITY)
    argb = np.concatenate([colour * opacity, opacity * np.float32(255)], axis=2).astype(np.uint8)
    shown = QImage(argb.tobytes(), size[0], size[1], size[0] * 4, QImage.Format.Format_ARGB32_Premultiplied)
    return shown.copy()
