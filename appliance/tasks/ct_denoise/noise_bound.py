# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How much of a CT slice can be noise: the most that a denoiser may change, place by place.

A network that removes noise can also remove, or invent, structure. Noise has a known size; what is many
times larger is no noise. The noise is measured in the slice itself, so the bound holds for every scanner,
dose and reconstruction kernel, and for networks that we did not train.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK_PX: Final = 32
"""Side of the squares in which noise is measured: about 1000 pixels for a percentile, and 25 mm at 0.78 mm
pixels, over which the dose that reaches the detector changes little."""
SMOOTHING_PX: Final = 2.0
"""Standard deviation of the smoothing that is taken off before: wider than the grain of CT noise (1 to 2
pixels between smooth and sharp kernels), narrower than organs."""
QUIET_SHARE: Final = 0.25
"""Noise is read off the quietest quarter of a block, so that edges may fill half of it unseen."""
SD_OF_QUIET: Final = 1.0 / 0.31864
"""Standard deviation of a normal distribution per 25th percentile of its absolute values."""
BOUND_SD: Final = 2.25
"""A pixel may change by this many of the standard deviations measured here. Against the real noise of
twelve quarter-dose slices (two patients, a smooth and a sharp kernel) the measure is 1.2 to 1.5 times
too large, because fine structure counts as grain; so this is about 3 true standard deviations, and more
than 99 of 100 noise values are smaller."""


def noise_sd(slice_hu: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard deviation of the noise at each pixel, HU, shape of the slice.

    A low percentile of the absolute difference to the smoothed slice in each block, interpolated
    linearly: it does not see the edges of organs and metal unless they fill most of the block.
    """
    rows, columns = slice_hu.shape
    grain = np.abs(slice_hu - cv2.GaussianBlur(slice_hu, (0, 0), SMOOTHING_PX))
    down, across = max(1, rows // BLOCK_PX), max(1, columns // BLOCK_PX)
    size = (rows // down, columns // across)
    blocks = grain[: down * size[0], : across * size[1]].reshape(down, size[0], across, size[1])
    middle = blocks.transpose(0, 2, 1, 3).reshape(down, across, -1)
    quiet = int(middle.shape[-1] * QUIET_SHARE)
    sd = np.partition(middle, quiet, axis=-1)[..., quiet] * np.float32(SD_OF_QUIET)
    return np.asarray(cv2.resize(sd, (columns, rows), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def bounded(
    denoised_hu: NDArray[np.float32], slice_hu: NDArray[np.float32], noise_sd_hu: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The denoised slice with every change clipped to what can be noise there; `noise_sd_hu`: `noise_sd`."""
    most = noise_sd_hu * np.float32(BOUND_SD)
    change = np.clip(denoised_hu - slice_hu, -most, most)
    return np.asarray(slice_hu + change, dtype=np.float32)
