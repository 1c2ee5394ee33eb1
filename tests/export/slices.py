# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of noisy and quiet slices with three tissues."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration.dataset import CalibrationSet
from calibration.sampling import make_set

SIDE = 192
NOISE_HU = 30.0


def body_slice(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(noisy, reference): an oval of soft tissue with a lung and a bone."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    reference = np.where((y / 80) ** 2 + (x / 88) ** 2 < 1, 50.0, -1000.0)
    reference[((y / 30) ** 2 + ((x - 45) / 20) ** 2) < 1] = -820.0
    reference[((y - 55) ** 2 + x**2) < 12**2] = 700.0
    reference += random.normal(0, 3, reference.shape)
    return (reference + random.normal(0, NOISE_HU, reference.shape)).astype(np.float32), reference.astype(
        np.float32
    )


def make_pairs(folder: Path, *, count: int = 8) -> CalibrationSet:
    """`count` slices, two of each patient."""
    images = folder / "images"
    images.mkdir()
    rows = []
    for index in range(count):
        for name, values in zip(("low", "full"), body_slice(index), strict=True):
            np.save(images / f"{name}{index}.npy", values)
        rows.append({"file": f"low{index}.npy", "group": str(index // 2), "reference": f"full{index}.npy"})
    return make_set(images, rows, folder / "set")
