# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The slices that the CT denoiser is judged on. None of them, and none of their patients, teaches it.

*Added noise*: routine-dose slices of patients kept aside, with the noise of a quarter of the dose laid
over. The reference has the noise of its scanner, the added noise that of another kernel.
*One kernel*: the same slices shrunk to half, until their own noise is small; the routine dose's noise and
that of a quarter of it are both drawn, with one kernel, as in real pairs.
*Real*: quarter-dose and routine-dose slices of the same scan. Research use only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from export.reference.ct_slices import SliceSet, low_dose_pairs, read_hu
from export.reference.denoiser_observer import KERNELS
from export.reference.denoiser_patches import as_kernel_blurs
from export.reference.low_dose import HU_MIN, FloatArray, blur_px, clamp, random_scan, unit_noise

QUARTER_DOSE_NOISE = 3.0**0.5
"""A quarter of the dose doubles the noise: what must be added is the square root of 3 times what is there."""
SHRUNK = 0.5
ROUTINE_NOISE_HU = (8.0, 30.0)
"""Standard deviation of the routine dose's noise in soft tissue: smooth thick slices to sharp thin ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """A low-dose slice and its reference, in HU."""

    name: str
    group: str
    """Patient or series."""
    low: FloatArray
    routine: FloatArray


def added_noise_pairs(data: SliceSet) -> list[Pair]:
    """Simulated quarter-dose slices of the patients kept aside, one noise each."""
    pairs: list[Pair] = []
    for index, item in enumerate(data.slices):
        if item.held_out:
            routine = data.hu[index].astype(np.float32)
            noise = np.asarray(data.noise[index][index % data.noise.shape[1]], np.float32)
            low = np.maximum(routine + QUARTER_DOSE_NOISE * item.own_noise_hu * noise, HU_MIN)
            pairs.append(
                Pair(name=item.file, group=item.patient, low=np.asarray(low, np.float32), routine=routine)
            )
    return pairs


def one_kernel_pairs(data: SliceSet, *, seed: int = 12) -> list[Pair]:
    """Shrunk slices of the patients kept aside; every third a smooth, a sharp and a random kernel."""
    random = np.random.default_rng(seed)
    pairs: list[Pair] = []
    for index, item in enumerate(data.slices):
        if not item.held_out:
            continue
        whole = data.hu[index].astype(np.float32)
        patient = np.asarray(
            cv2.resize(whole, None, fx=SHRUNK, fy=SHRUNK, interpolation=cv2.INTER_AREA), np.float32
        )
        scan = (KERNELS["smooth"], KERNELS["sharp"], random_scan(random, views=360))[len(pairs) % 3]
        patient = as_kernel_blurs(patient, blur_px(scan), shrunk_to=SHRUNK)
        noises = unit_noise(patient, spacing_mm=item.spacing_mm / SHRUNK, scans=(scan, scan), random=random)
        level_hu = np.float32(np.exp(random.uniform(*np.log(ROUTINE_NOISE_HU))))
        routine = patient + level_hu * noises[0]
        low = routine + np.float32(QUARTER_DOSE_NOISE) * level_hu * noises[1]
        pairs.append(Pair(name=item.file, group=item.patient, low=clamp(low), routine=clamp(routine)))
    return pairs


def real_pairs(data: Path) -> list[Pair]:
    """Real quarter-dose slices with their routine dose; for measuring only, their terms forbid more."""
    return [
        Pair(
            name=f"{series} {routine.stem[:2]}",
            group=series,
            low=clamp(read_hu(quarter)[0]),
            routine=clamp(read_hu(routine)[0]),
        )
        for series, routine, quarter in low_dose_pairs(data)
    ]
