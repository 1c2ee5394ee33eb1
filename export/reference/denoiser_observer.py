# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a reader could still see after denoising: edges, faint discs and the grain of the noise.

A denoiser is not linear, so that one resolution for all does not exist. What is measured here depends on
the contrast, in a drawn body of known truth with simulated noise of a smooth and of a sharp kernel:

* the task transfer function (TTF; Samei and others, AAPM task group 233): how sharply the border of a disc
  of a given contrast comes back,
* the detectability d' of small faint discs, for a channelised Hotelling observer (CHO) that looks through
  Laguerre-Gauss channels and for a non-prewhitening one (NPW) that looks through the disc itself,
* the noise power spectrum (NPS): where the noise that is left lies, slow or fine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import eval_laguerre

from export.reference.low_dose import FloatArray, Scan, unit_noise

Denoise = Callable[[FloatArray], FloatArray]
SIDE_PX = 256
SPACING_MM = 1.3
"""The drawn body is 256 pixels wide and as wide as a patient."""
WATER_HU = 40.0
BODY_PX = 112
"""Radius of the drawn body."""
BLUR_PX = 0.7
"""Sharpness of the drawn discs: that of a scanner's standard kernel."""
KERNELS = {
    "smooth": Scan(views=360, cutoff=1.0, roll_off=1.8),
    "sharp": Scan(views=360, cutoff=2.2, roll_off=1.0),
}
"""With the spectra of a B30f and a D45f, see `Scan.floor`."""
EDGE_DISC_PX = 40.0
EDGE_REACH_PX = 16.0
EDGE_BIN_PX = 0.25
ROI_PX = 36
CHANNELS = 6
JACKKNIFE_GROUPS = 8
GRID_PX = 40
"""Between the centres of small discs."""
SPECTRUM_PX = 64
SPECTRUM_BINS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectability:
    """Of one disc, before and after denoising, by two observers."""

    cho_before: float
    cho_after: float
    npw_before: float
    npw_after: float
    contrast_kept: float
    """Mean height of the disc after denoising over its height before."""
    cnr_before: float
    cnr_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSharpness:
    """Frequencies, in cycles per pixel, at which the TTF of a disc's border has fallen to one half."""

    before: float
    """Without noise and denoiser."""
    after: float
    """Of the mean of the denoised noisy images."""


def drawn_body() -> FloatArray:
    """A disc of water in air."""
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX] - (SIDE_PX - 1) / 2
    image = np.where(np.hypot(rows, columns) < BODY_PX, WATER_HU, -1000.0).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), BLUR_PX), np.float32)


def disc(centre: tuple[float, float], diameter_px: float) -> FloatArray:
    """A disc of height 1, its border as sharp as the scanner draws it."""
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX]
    distance = np.hypot(rows - centre[0], columns - centre[1])
    covered = np.clip(diameter_px / 2 - distance + 0.5, 0.0, 1.0).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(covered, (0, 0), BLUR_PX), np.float32)


def drawn_noise(kernel: str, *, count: int, seed: int = 5) -> FloatArray:
    """Unit noise images of the drawn body, [count, rows, columns]."""
    random = np.random.default_rng(seed)
    scans = (KERNELS[kernel],) * 4
    made = [
        unit_noise(drawn_body(), spacing_mm=SPACING_MM, scans=scans, random=random)
        for _ in range(-(-count // len(scans)))
    ]
    return np.asarray(np.concatenate(made)[:count], np.float32)


def frequency_at_half(image: FloatArray, centre: tuple[float, float], diameter_px: float) -> float:
    """Frequency, in cycles per pixel, at which the TTF of a disc's border has fallen to one half.

    The border is sampled along all radii into bins finer than a pixel, differentiated and transformed.
    """
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    offset = np.hypot(rows - centre[0], columns - centre[1]) - diameter_px / 2
    near = np.abs(offset) < EDGE_REACH_PX
    bins = ((offset[near] + EDGE_REACH_PX) / EDGE_BIN_PX).astype(int)
    total = np.bincount(bins, weights=image[near])
    counted = np.bincount(bins)
    filled = np.flatnonzero(counted)
    border = np.interp(np.arange(len(counted)), filled, total[filled] / counted[filled])
    line = np.gradient(border) * np.hanning(len(border))
    size = 16 * len(line)
    response = np.abs(np.fft.rfft(line, size))
    response /= response[0]
    frequency = np.fft.rfftfreq(size, EDGE_BIN_PX)
    below = int(np.argmax(response < 0.5))
    high, low = float(response[below - 1]), float(response[below])
    step = float(frequency[below] - frequency[below - 1])
    return float(frequency[below - 1]) + step * (high - 0.5) / (high - low)


def edge_sharpness(denoise: Denoise, noise: FloatArray, contrast_hu: float) -> list[EdgeSharpness]:
    """With all noise images (in HU) first, then with each one left out, for a jackknife."""
    centre = ((SIDE_PX - 1) / 2, (SIDE_PX - 1) / 2)
    drawn = drawn_body() + np.float32(contrast_hu) * disc(centre, EDGE_DISC_PX)
    before = frequency_at_half(drawn, centre, EDGE_DISC_PX)
    made = np.stack([denoise(drawn + one) for one in noise])
    total = made.sum(axis=0, dtype=np.float64)
    means = [total / len(made), *((total - one) / (len(made) - 1) for one in made)]
    return [
        EdgeSharpness(before=before, after=frequency_at_half(mean.astype(np.float32), centre, EDGE_DISC_PX))
        for mean in means
    ]


def detectability(
    denoise: Denoise, noise: FloatArray, *, diameter_px: float, contrast_hu: float
) -> list[Detectability]:
    """Discs on a grid in each noisy body, seen by observers that learned from the other half of the images.

    `noise` in HU. With all images first, then with each of `JACKKNIFE_GROUPS` groups left out.
    """
    middle = SIDE_PX // 2
    places = [
        (middle + row * GRID_PX, middle + column * GRID_PX)
        for row in (-1.5, -0.5, 0.5, 1.5)
        for column in (-1.5, -0.5, 0.5, 1.5)
    ]
    signal = np.sum([disc(place, diameter_px) for place in places], axis=0) * np.float32(contrast_hu)
    images = (drawn_body() + noise, drawn_body() + signal + noise)
    before = [_patches(one, places) for one in images]
    after = [_patches(np.stack([denoise(image) for image in one]), places) for one in images]
    group = np.arange(len(noise)) % JACKKNIFE_GROUPS
    chosen = [np.ones(len(noise), np.bool_), *(group != left_out for left_out in range(JACKKNIFE_GROUPS))]
    return [
        _seen([one[rows] for one in before], [one[rows] for one in after], diameter_px) for rows in chosen
    ]


def _seen(
    before: list[NDArray[np.float64]], after: list[NDArray[np.float64]], diameter_px: float
) -> Detectability:
    """Of [images, places, pixels] without and with discs."""
    core = disc((ROI_PX // 2, ROI_PX // 2), diameter_px)[:ROI_PX, :ROI_PX].ravel() > 0.5
    channels = _channels(diameter_px)
    heights = [float((seen[1] - seen[0])[..., core].mean()) for seen in (before, after)]
    spread = [float(seen[0].std(axis=(0, 1)).mean()) for seen in (before, after)]
    return Detectability(
        cho_before=_separation(before, channels),
        cho_after=_separation(after, channels),
        npw_before=_separation(before, None),
        npw_after=_separation(after, None),
        contrast_kept=heights[1] / heights[0],
        cnr_before=abs(heights[0]) / spread[0],
        cnr_after=abs(heights[1]) / spread[1],
    )


def _patches(images: FloatArray, places: list[tuple[float, float]]) -> NDArray[np.float64]:
    """[images, places, pixels], each with the disc in its middle."""
    half = ROI_PX // 2
    cut = [
        [
            image[int(row) - half : int(row) + half, int(column) - half : int(column) + half].ravel()
            for row, column in places
        ]
        for image in images
    ]
    return np.asarray(cut, np.float64)


def _channels(diameter_px: float) -> NDArray[np.float64]:
    """Laguerre-Gauss channels as wide as the disc, [pixels, channels] (Gallas and Barrett, 2003)."""
    rows, columns = np.mgrid[:ROI_PX, :ROI_PX] - float(ROI_PX // 2)
    radius = 2 * np.pi * (rows**2 + columns**2) / (1.5 * diameter_px) ** 2
    made = [np.exp(-radius / 2) * eval_laguerre(order, radius) for order in range(CHANNELS)]
    return np.stack([one.ravel() / np.linalg.norm(one) for one in made], axis=1)


def _separation(seen: list[NDArray[np.float64]], channels: NDArray[np.float64] | None) -> float:
    """The d' on one half of the images of a template made from the other half, mean of both ways."""
    half = len(seen[0]) // 2
    found = []
    for learn, judge in ((slice(None, half), slice(half, None)), (slice(half, None), slice(None, half))):
        patches = [part[learn].reshape(-1, part.shape[-1]) for part in seen]
        absent, present = patches if channels is None else [part @ channels for part in patches]
        template = present.mean(axis=0) - absent.mean(axis=0)
        if channels is not None:
            spread = (np.cov(absent, rowvar=False) + np.cov(present, rowvar=False)) / 2
            template = channels @ np.linalg.solve(spread, template)
        scores = [(part[judge] @ template).ravel() for part in seen]
        spread_of_scores = np.sqrt((scores[0].var(ddof=1) + scores[1].var(ddof=1)) / 2)
        found.append(float((scores[1].mean() - scores[0].mean()) / spread_of_scores))
    return float(np.mean(found))


def noise_spectrum(noise: FloatArray) -> NDArray[np.float64]:
    """Radial NPS of images of the drawn body without its mean: HU^2 px^2 at `spectrum_frequencies`."""
    window = np.outer(np.hanning(SPECTRUM_PX), np.hanning(SPECTRUM_PX))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SPECTRUM_PX), np.fft.fftfreq(SPECTRUM_PX)))
    ring = np.minimum((frequency * 2 * SPECTRUM_BINS).astype(int), SPECTRUM_BINS)
    middle, power = SIDE_PX // 2, np.zeros((SPECTRUM_PX, SPECTRUM_PX))
    starts = (middle - SPECTRUM_PX, middle - SPECTRUM_PX // 2, middle)
    for image in noise:
        for row in starts:
            for column in starts:
                patch = image[row : row + SPECTRUM_PX, column : column + SPECTRUM_PX].astype(np.float64)
                power += np.abs(np.fft.fft2((patch - patch.mean()) * window)) ** 2
    power /= len(noise) * len(starts) ** 2 * np.square(window).sum()
    return np.array([power[ring == number].mean() for number in range(SPECTRUM_BINS)])


def spectrum_frequencies() -> NDArray[np.float64]:
    """Middles of the rings, cycles per pixel."""
    return (np.arange(SPECTRUM_BINS) + 0.5) / (2 * SPECTRUM_BINS)


def mean_frequency(spectrum: NDArray[np.float64]) -> float:
    """Where the noise lies: its power's mean frequency in the plane, cycles per pixel."""
    frequency = spectrum_frequencies()
    weight = spectrum * frequency  # a ring has as many frequencies as it is long
    return float((weight * frequency).sum() / weight.sum())


def peak_frequency(spectrum: NDArray[np.float64]) -> float:
    """The ring with the most power."""
    return float(spectrum_frequencies()[int(np.argmax(spectrum))])
