# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How good a denoised CT slice is, against the input itself and against a tuned classical filter.

PSNR and SSIM are taken in the soft-tissue window, as the literature does; RMSE and bias over the body.
A gain over the input in the same run compares; an absolute PSNR between papers does not.
"""

from __future__ import annotations

import importlib
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from export.reference.low_dose import FloatArray, clamp, noise_level, soft_tissue

WINDOW_HU = (-160.0, 240.0)
BODY_HU = -850.0
"""Everything denser than this and inside the outline is the patient, lungs included."""
LUNG_HU = (-950.0, -700.0)
BONE_HU = 250.0
NLM_STRENGTHS = (0.5, 0.7, 0.9, 1.15, 1.5)
"""Tried for each image against its reference, in units of its noise: the filter's best case."""
BM3D_STRENGTHS = (0.7, 1.0, 1.4)
"""Likewise; three, because each takes ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """One image against its reference. Biases are means of (image - reference)."""

    psnr_db: float
    ssim: float
    rmse_hu: float
    bias_soft_hu: float
    bias_lung_hu: float
    bias_bone_hu: float
    texture_ratio: float
    """Fine detail in soft tissue over the reference's: 1 as the routine dose, far below 1 over-smoothed."""


def body(reference: FloatArray) -> NDArray[np.bool_]:
    """The patient without table and air: the largest connected part, its holes filled."""
    dense = (cv2.GaussianBlur(reference, (0, 0), 3) > -400).astype(np.uint8)
    dense = np.asarray(cv2.morphologyEx(dense, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)), np.uint8)
    contours, _ = cv2.findContours(dense, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros_like(dense)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled.astype(bool)


def ssim(image: FloatArray, reference: FloatArray, inside: NDArray[np.bool_]) -> float:
    """Structural similarity in the window, Gaussian weights of 1.5 px, averaged over the body."""
    span = WINDOW_HU[1] - WINDOW_HU[0]
    first, second = (np.clip(item, *WINDOW_HU).astype(np.float64) for item in (image, reference))

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    mean_1, mean_2 = mean(first), mean(second)
    variance_1, variance_2 = mean(first**2) - mean_1**2, mean(second**2) - mean_2**2
    covariance = mean(first * second) - mean_1 * mean_2
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    similarity = ((2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)) / (
        (mean_1**2 + mean_2**2 + c1) * (variance_1 + variance_2 + c2)
    )
    return float(similarity[inside].mean())


def psnr_db(image: FloatArray, reference: FloatArray, inside: NDArray[np.bool_]) -> float:
    """Peak signal-to-noise ratio in the window, over the body; the peak is the window's width."""
    windowed = np.clip(image, *WINDOW_HU) - np.clip(reference, *WINDOW_HU)
    span = WINDOW_HU[1] - WINDOW_HU[0]
    return float(20 * np.log10(span) - 10 * np.log10(np.square(windowed[inside]).mean()))


def quality(image: FloatArray, reference: FloatArray) -> Quality:
    """Measure one image."""
    image, reference = clamp(image), clamp(reference)
    inside = body(reference)
    smooth = cv2.GaussianBlur(reference, (0, 0), 2.0)
    difference = image - reference

    def bias(mask: NDArray[np.bool_]) -> float:
        return float(difference[mask & inside].mean()) if (mask & inside).sum() > 200 else float("nan")

    return Quality(
        psnr_db=psnr_db(image, reference, inside),
        ssim=ssim(image, reference, inside),
        rmse_hu=float(np.sqrt(np.square(difference[inside]).mean())),
        bias_soft_hu=bias(soft_tissue(reference)),
        bias_lung_hu=bias((smooth > LUNG_HU[0]) & (smooth < LUNG_HU[1])),
        bias_bone_hu=bias(smooth > BONE_HU),
        texture_ratio=noise_level(image) / noise_level(reference),
    )


def nlm16(low_dose: FloatArray, strength: float) -> FloatArray:
    """16-bit non-local means; `strength` in units of the slice's noise."""
    stored = (clamp(low_dose) + 1024.0).round().astype(np.uint16)
    plain = cv2.fastNlMeansDenoising(
        stored,
        [float(strength * noise_level(low_dose))],
        templateWindowSize=5,
        searchWindowSize=15,
        normType=cv2.NORM_L1,
    )
    return np.asarray(plain, np.float32) - np.float32(1024.0)


def tuned_nlm(low_dose: FloatArray, reference: FloatArray) -> FloatArray:
    """16-bit non-local means with the strength that is best for this image."""
    tried = [nlm16(low_dose, strength) for strength in NLM_STRENGTHS]
    return min(tried, key=lambda image: quality(image, reference).rmse_hu)


def tuned_bm3d(low_dose: FloatArray, reference: FloatArray) -> FloatArray:
    """BM3D with the strength that is best for this image. Needs the package `bm3d`."""
    bm3d = importlib.import_module("bm3d").bm3d  # its licence keeps it out of the extras
    values, level = clamp(low_dose), noise_level(low_dose)
    tried = [np.asarray(bm3d(values, float(share * level)), np.float32) for share in BM3D_STRENGTHS]
    return min(tried, key=lambda image: quality(image, reference).rmse_hu)


def mean_quality(measured: list[Quality]) -> dict[str, float]:
    """Means over images, NaN where a tissue is absent left out."""
    rows = [asdict(item) for item in measured]
    return {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}
