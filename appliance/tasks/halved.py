# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Area means of a whole frame, from what the wavelet's low-pass left of it.

A JPEG 2000 codestream decoded without its finest levels is no small area mean: its samples are those of every
2**n-th pixel, low-passed. Taken for an area mean, the picture would lie up to half a sample off. Decoded with
empty finest levels instead, the reversible 5/3 wavelet fills the pixels between by linear interpolation (its
synthesis low-pass is (1, 2, 1) / 2: ISO/IEC 15444-1, annex F). The means here are those of that picture,
which nobody has to compute.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def area_mean_of_halved(
    values: NDArray[np.generic], *, halvings: int, whole_px: tuple[int, int], small_px: tuple[int, int]
) -> NDArray[np.float32]:
    """The mean of every one of `small_px` (rows, columns) equal areas of a frame of `whole_px`.

    `values`: [rows, columns], the frame's low-pass after `halvings` levels; ceil(whole / 2**halvings) a side.
    """
    rows = np.empty((small_px[0], values.shape[1]), np.float32)
    for row, weights in enumerate(_weights(values.shape[0], small_px[0], whole_px[0], halvings)):
        used = np.flatnonzero(weights)  # a handful, side by side
        band = slice(used[0], used[-1] + 1)
        rows[row] = weights[band] @ values[band].astype(np.float32)
    mean: NDArray[np.float32] = rows @ _weights(values.shape[1], small_px[1], whole_px[1], halvings).T
    return mean


def _weights(samples: int, areas: int, pixels: int, halvings: int) -> NDArray[np.float32]:
    """[areas, samples]: how much each sample counts in each area. Every row adds up to 1."""
    pixel = np.arange(pixels)
    left = pixel >> halvings
    right = np.minimum(left + 1, samples - 1)  # behind the last sample its value holds
    way = (pixel - (left << halvings)) / 2**halvings
    size = pixels / areas
    area = np.minimum((pixel / size).astype(int), areas - 1)
    following = np.minimum(area + 1, areas - 1)
    inside = np.clip((area + 1) * size - pixel, 0.0, 1.0)  # the part of a pixel that lies in its first area
    weights = np.zeros((areas, samples))
    for row, part in ((area, inside), (following, 1.0 - inside)):
        np.add.at(weights, (row, left), part * (1.0 - way))
        np.add.at(weights, (row, right), part * way)
    return (weights / size).astype(np.float32)
