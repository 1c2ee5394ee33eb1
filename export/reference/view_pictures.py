# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Varied training pictures for `radiograph_view`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from export.reference.view_network import SIZE_PX

Square = NDArray[np.float32]


def exposed(square: Square, random: np.random.Generator) -> Square:
    """Another exposure, inversion excluded: presentation is brought to one polarity before the model."""
    curve = np.clip(square, 0, 1) ** np.exp(random.uniform(-0.6, 0.6))
    low, high = random.uniform(-0.1, 0.15), random.uniform(0.8, 1.2)
    return np.asarray(np.clip((curve - low) / (high - low), 0, 1), np.float32)


def bordered(square: Square, random: np.random.Generator) -> Square:
    """Collimation or the bars of a film that is not square: all NIH films are, bars must not say limb."""
    if random.random() < 0.5:
        side = square.shape[0]
        first, last = random.uniform(0, 0.18, 2) * side, random.uniform(0.82, 1, 2) * side
        framed = np.full_like(square, 1.0 if random.random() < 0.2 else 0.0)
        window = (slice(int(first[0]), int(last[0])), slice(int(first[1]), int(last[1])))
        framed[window] = square[window]
        return framed
    return square


def varied(square: Square, turns: int, random: np.random.Generator) -> Square:
    """A training picture of `SIZE_PX`, turned clockwise by `turns` quarters after everything else."""
    side = square.shape[0]
    matrix = cv2.getRotationMatrix2D(
        (side / 2, side / 2), float(random.uniform(-12, 12)), float(random.uniform(0.8, 1.3)) * SIZE_PX / side
    )
    matrix[:, 2] += (SIZE_PX - side) / 2 + random.uniform(-0.08, 0.08, 2) * SIZE_PX
    moved = cv2.warpAffine(square, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_AREA)
    if random.integers(2):
        moved = moved[:, ::-1]
    blurred = (
        cv2.GaussianBlur(moved, (0, 0), float(random.uniform(0.3, 1.2))) if random.random() < 0.4 else moved
    )
    noise = random.standard_normal(blurred.shape, dtype=np.float32) * np.float32(random.uniform(0, 0.04))
    noisy = np.asarray(blurred, np.float32) + noise
    return np.ascontiguousarray(np.rot90(bordered(exposed(noisy, random), random), -turns))
