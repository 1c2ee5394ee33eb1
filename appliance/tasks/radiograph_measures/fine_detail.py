# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Noise and blur, measured where a reader would see them: on the picture as it fills a screen."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from appliance.tasks.radiograph_measures.exposed_field import ExposedField
from appliance.tasks.radiograph_measures.overview import Overview

_BLOCK_PX: Final = 32
_ROUNDING: Final = 1e-5
"""Part of the grey range below which a difference is rounding: the grey levels are too coarse for noise."""
_LAPLACIAN_DIFFERENCE: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32) / 6.0
"""J. Immerkaer, Fast noise variance estimation, Computer Vision and Image Understanding 64 (1996) 300-302:
insensitive to planes and edges; divided by 6, white noise keeps its standard deviation."""
_MEDIAN_TO_SIGMA: Final = 1.4826
"""Median absolute value to standard deviation of a normal distribution."""
_REBLUR_PX: Final = 9
"""Length of the second blur; F. Crete et al., The blur effect, Proc. SPIE 6492 (2007) 64920I."""
_EDGES: Final = 90.0
"""Percentile of the differences from which on they count as edges: smooth air or shutter has none."""
_PRESMOOTH_PX: Final = 0.8
"""Sigma that keeps pixel noise from looking like detail."""


def noise_percent(overview: Overview, field: ExposedField) -> float | None:
    """Standard deviation of the noise in per cent of the picture's grey range; None without usable blocks.

    The median over blocks of 32 x 32 screen pixels that lie inside the field and are not clipped.
    """
    span = float(np.ptp(np.percentile(overview.grey, (0.5, 99.5))))
    if span <= 0:
        return None
    screen = overview.screen
    detail = np.abs(cv2.filter2D(screen, cv2.CV_32F, _LAPLACIAN_DIFFERENCE))
    rows, columns = (size // _BLOCK_PX for size in screen.shape)
    if rows == 0 or columns == 0:
        return None
    cut = detail[: rows * _BLOCK_PX, : columns * _BLOCK_PX]
    blocks = cut.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).swapaxes(1, 2).reshape(rows * columns, -1)
    covered = cv2.resize(field.mask, (columns, rows), interpolation=cv2.INTER_AREA).reshape(-1) > 0
    # Every third pixel is enough for a median and keeps neighbours of one kernel apart.
    typical = np.median(blocks[covered][:, ::3], axis=1)
    usable = typical[typical > _ROUNDING * span]
    if usable.size < max(4, covered.sum() // 4):
        return None
    return float(np.median(usable)) * _MEDIAN_TO_SIGMA / span * 100.0


def blur_effect(overview: Overview) -> float | None:
    """0 (sharp) to 1 (nothing finer than `_REBLUR_PX`) at the strongest edges, the worse direction."""
    smooth = cv2.GaussianBlur(overview.half_screen, (0, 0), _PRESMOOTH_PX)
    worst = 0.0
    for axis, window in ((0, (1, _REBLUR_PX)), (1, (_REBLUR_PX, 1))):
        before = np.abs(np.diff(smooth, axis=axis))
        after = np.abs(np.diff(cv2.blur(smooth, window), axis=axis))
        edges = before >= np.percentile(before[::3, ::3], _EDGES)
        total = float(before[edges].sum())
        if total <= 0:
            return None
        worst = max(worst, 1.0 - float(np.maximum(before - after, 0.0)[edges].sum()) / total)
    return worst
