# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What denoising took away from a frame: original minus copy, shown around a mid-grey zero. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.view import View
from ui.display_table import NARROWEST_WINDOW, Window, windowed_table

_LOWEST: Final = -32768
"""Smallest difference that 16 bits hold; larger ones than they hold are shown as the largest."""
WIDTH_IN_SIGMAS: Final = 8.0
"""Four noise levels to each side: noise is grey, and what stands out of it was no noise."""
_SIGMA_PER_MEDIAN: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute value."""
_EVERY: Final = 4
"""The noise level is estimated from every fourth row and column."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RemovedPart:
    """One frame's difference, ready to be drawn like any frame."""

    difference: NDArray[np.int16]
    """Stored units."""
    stored_low: int
    table: NDArray[np.uint8]
    """Mid-grey is zero; bright: the original was higher, whatever the picture's polarity."""
    window: Window
    """Centre 0, width in modality units."""


def removed_part(original: NDArray[Any], denoised: NDArray[Any], view: View) -> RemovedPart:
    """The difference of two frames of one shape and type."""
    difference = np.asarray(cv2.subtract(original, denoised, dtype=cv2.CV_16S), dtype=np.int16)
    width = WIDTH_IN_SIGMAS * noise_level(difference) * abs(view.slope)
    window = (0.0, max(width, NARROWEST_WINDOW))
    as_shown = replace(view, stored_low=_LOWEST, intercept=0.0, inverted=False, voi=window)
    return RemovedPart(
        difference=difference,
        stored_low=_LOWEST,
        table=windowed_table(as_shown, window),
        window=window,
    )


def noise_level(difference: NDArray[np.int16]) -> float:
    """Standard deviation of the noise that was removed; robust where only a part of the frame has any."""
    some = np.abs(difference[::_EVERY, ::_EVERY].astype(np.float32))
    sigma = _SIGMA_PER_MEDIAN * float(np.median(some))
    if sigma > 0:
        return sigma
    changed = some[some > 0]
    return _SIGMA_PER_MEDIAN * float(np.median(changed)) if changed.size else 0.0
