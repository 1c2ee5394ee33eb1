# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The pairs of patches that the CT denoiser learns from.

Two kinds. *Added noise*: a routine-dose patch is the target and more noise is laid over it. Its own noise
is in both, but with the kernel of the scanner that made it, while the added noise has another.
*Whole noise*: a patch shrunk until its own noise is small, and blurred as the noise's kernel would blur
it, stands for the patient; all the noise of a quarter-dose slice is laid over it, routine share included.
For noise of one spectrum the routine share is, in the mean, a quarter of what is seen: that mean is the
target. It is what training on pairs with noisy targets would find after many more pairs, and the target's
own noise does not blur the way there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from export.reference.ct_slices import SliceSet
from export.reference.low_dose import HU_MIN, FloatArray, clamp

PATCH_PX = 128
SHARPENED_SHARE = 0.4
"""Patches that are sharpened first, as by a sharper kernel."""
BODY_HU = -500.0
"""A patch with fewer than one pixel in five above this is mostly air and drawn again."""
SHRUNK_TO = (0.45, 0.75)
"""How far a slice is shrunk to stand for the patient: its noise falls by two or more and its edges are
sharper than any scanner's."""
CLEAN_HU = 16.0
"""Only slices with less noise than this (`noise_level`, which counts fine vessels too) stand for the patient.
What noise is left in them is in the target as well: slices with more taught the network to leave noise."""
SMOOTH_NOISE_HU = (8.0, 45.0)
"""Noise of quarter-dose slices in soft tissue with a kernel that blurs, from thick slices of the chest to
thin ones of the abdomen. Louder noise of such a kernel is not met and would outweigh the rest."""
SHARP_NOISE_HU = (20.0, 110.0)
"""Likewise with a kernel that does not blur more than the slices did that stand for the patient."""
SOURCE_BLUR_PX = 0.6
"""How blurred the slices are that are shrunk: about as by a standard kernel."""
ANY_DOSE = (0.12, 0.6)
"""Of a low-dose scan, as a share of the routine dose."""
KEPT_OF_QUARTER_DOSE = 0.25
"""Variance share of the routine dose's noise in a quarter-dose slice, hence its regression on the whole."""


LEVEL_OFFSET_HU = 5.0
LEAST_LEVEL_HU = 10.0
"""Squared errors are weighted by one over (noise + offset), so that the noisiest slices do not rule; noise
below the least level counts as that much. Without that limit the few patches with next to no added noise
outweighed all others, and taught the network to leave noise everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What one phase of the training draws."""

    doses: tuple[float, float] | None
    """Shares of the dose between which a slice's added noise mostly is; None: any level met in practice.
    What a network takes away is the mean over all doses that a slice may have had."""
    whole_noise_share: float
    """Share of patches of the second kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One pair, and the standard deviation of the noise that separates them."""

    low: FloatArray
    target: FloatArray
    level_hu: float


def loss_weight(level_hu: float) -> float:
    """Of the squared error of a patch whose noise has this standard deviation."""
    return 1.0 / (max(level_hu, LEAST_LEVEL_HU) + LEVEL_OFFSET_HU)


def noise_scale_hu(
    own_noise_hu: float, random: np.random.Generator, *, doses: tuple[float, float] | None
) -> float:
    """Standard deviation of the noise to add to a slice that has noise of its own.

    With `doses`: mostly what a dose between these adds to this very slice. Without: half of the time any
    level met in practice. Sometimes next to none: a clean slice must come back as it is.
    """
    kind = random.random()
    if kind < 0.05:
        return float(random.uniform(0.0, 3.0))
    if kind < (0.5 if doses is None else 0.9):
        dose = float(np.exp(random.uniform(*np.log(doses or ANY_DOSE))))
        return float(random.uniform(0.9, 1.2) * own_noise_hu * np.sqrt(1.0 / dose - 1.0))
    lowest = 6.0 if doses is None else own_noise_hu
    return float(np.exp(random.uniform(np.log(lowest), np.log(max(70.0, 2 * lowest)))))


def _anatomy(
    data: SliceSet, usable: list[int], random: np.random.Generator, side_px: int
) -> tuple[int, int, int, FloatArray]:
    """Slice number, first row and column, and the values of a square that shows some patient."""
    while True:
        which = usable[int(random.integers(len(usable)))]
        row, column = (int(random.integers(0, side - side_px + 1)) for side in data.hu.shape[1:])
        values = data.hu[which][row : row + side_px, column : column + side_px].astype(np.float32)
        if (values > BODY_HU).mean() > 0.2:
            return which, row, column, values


def _noise(data: SliceSet, which: int, scanner: int, row: int, column: int) -> FloatArray:
    """Unit noise of one of the slice's simulated scanners."""
    square = np.s_[row : row + PATCH_PX, column : column + PATCH_PX]
    return np.asarray(data.noise[which][scanner][square], np.float32)


def as_kernel_blurs(patient: FloatArray, blur_px: float, *, shrunk_to: float) -> FloatArray:
    """A shrunk slice as a kernel would have drawn it."""
    missing = blur_px**2 - (SOURCE_BLUR_PX * shrunk_to) ** 2
    if missing <= 0.0:
        return patient
    return np.asarray(cv2.GaussianBlur(patient, (0, 0), float(np.sqrt(missing))), np.float32)


def _sharpened(values: FloatArray, amount: float) -> FloatArray:
    return clamp(values + amount * (values - cv2.GaussianBlur(values, (0, 0), 1.0)))


def _added_noise(data: SliceSet, usable: list[int], random: np.random.Generator, mixture: Mixture) -> Patch:
    which, row, column, target = _anatomy(data, usable, random, PATCH_PX)
    own_noise_hu = data.slices[which].own_noise_hu
    if random.random() < SHARPENED_SHARE:
        sharper = float(random.uniform(0.0, 1.2))
        own_noise_hu *= 1.0 + 0.7 * sharper
        target = _sharpened(target, sharper)
    level_hu = noise_scale_hu(own_noise_hu, random, doses=mixture.doses)
    scanner = int(random.integers(data.noise.shape[1]))
    low = np.maximum(target + level_hu * _noise(data, which, scanner, row, column), HU_MIN)
    return Patch(low=np.asarray(low, np.float32), target=target, level_hu=level_hu)


def _whole_noise(data: SliceSet, usable: list[int], random: np.random.Generator) -> Patch:
    shrunk_to = float(random.uniform(*SHRUNK_TO))
    side_px = round(PATCH_PX / shrunk_to)
    clean = [index for index in usable if data.slices[index].own_noise_hu < CLEAN_HU]
    which, row, column, values = _anatomy(data, clean, random, side_px)
    patient = np.asarray(cv2.resize(values, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA), np.float32)
    scanner = int(random.integers(data.noise.shape[1]))
    blur_px = data.slices[which].blurs_px[scanner]
    patient = as_kernel_blurs(patient, blur_px, shrunk_to=shrunk_to)
    if blur_px < SOURCE_BLUR_PX and random.random() < SHARPENED_SHARE:
        patient = _sharpened(patient, float(random.uniform(0.0, 1.2)))
    inset = (side_px - PATCH_PX) // 2  # the noise of the middle of the square, at its own scale
    met_hu = SMOOTH_NOISE_HU if blur_px > SOURCE_BLUR_PX else SHARP_NOISE_HU
    level_hu = float(np.exp(random.uniform(*np.log(met_hu))))
    noise = np.float32(level_hu) * _noise(data, which, scanner, row + inset, column + inset)
    return Patch(
        low=np.maximum(patient + noise, np.float32(HU_MIN)),
        target=np.maximum(patient + np.float32(KEPT_OF_QUARTER_DOSE) * noise, np.float32(HU_MIN)),
        level_hu=level_hu * (1.0 - KEPT_OF_QUARTER_DOSE),
    )


def draw_patch(data: SliceSet, usable: list[int], random: np.random.Generator, mixture: Mixture) -> Patch:
    """One random pair out of the `usable` slices, turned and mirrored at random."""
    whole = random.random() < mixture.whole_noise_share
    drawn = _whole_noise(data, usable, random) if whole else _added_noise(data, usable, random, mixture)
    turns, flip = int(random.integers(4)), bool(random.integers(2))
    low, target = (np.rot90(image[:, ::-1] if flip else image, turns) for image in (drawn.low, drawn.target))
    return Patch(low=np.ascontiguousarray(low), target=np.ascontiguousarray(target), level_hu=drawn.level_hu)
