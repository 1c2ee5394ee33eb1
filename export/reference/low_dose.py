# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Simulate what a lower tube current would have added to a CT slice.

Filtered back-projection is linear, so the extra noise of a lower dose can be made on its own: the slice
is projected only to learn how much each ray is attenuated, noise of that variance is drawn in the
sinogram, filtered with a reconstruction kernel and back-projected. The result has what white noise
lacks: the kernel's spectrum, streaks along strongly attenuating directions, more noise in the middle
of the body than at its edge.

Parallel beam with half a pixel between rays; real scanners are fan beams, which changes the geometry of the
streaks but neither the spectrum nor the ratio between doses.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

HU_MIN = -1024.0
"""Stored CT values stop here; makers write their out-of-field padding at -1024, -2000, -2048 or -3024."""
HU_MAX = 3071.0
"""The largest value of a 12-bit CT; denser metal saturates or uses an extended scale."""
MU_WATER_PER_MM = 0.0192
"""Linear attenuation of water at the effective energy of a 120 kV beam."""
PROJECTION_GRID_PX = 256
"""Attenuation is smooth: it is projected on a grid this coarse, which is four times as quick."""
RAYS_PER_PX = 2
"""Sharp kernels pass frequencies up to the corner of the image's spectrum, beyond one ray per pixel."""
SOFT_TISSUE_HU = (-120.0, 180.0)
"""Where noise is measured and quoted."""
SMOOTH_KERNELS = 0.5
"""Share of soft-tissue kernels among those drawn; the others are lung and bone kernels."""
SMOOTH_CUTOFF = (0.7, 1.3)
"""Where soft-tissue kernels end: a cutoff of 1.0 with a power of 1.8 has the spectrum of a B30f."""
SMOOTH_ROLL_OFF = (1.0, 2.5)
SMOOTH_BOOST = (0.0, 0.6)
"""A boost makes a kernel sharp again. Drawn like that of sharp kernels, it left one noise in ten as smooth as
a B30f's, and the denoiser that was taught so took a third too little of such noise."""
SHARP_CUTOFF = (1.3, 2.3)
"""Where sharp kernels end: a cutoff of 2.2 with a power of 1 has the spectrum of a D45f."""
SHARP_ROLL_OFF = (0.5, 2.0)
SHARP_BOOST = (0.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The scanner whose noise is drawn. The ranges that training draws from are in `random_scan`."""

    views: int = 720
    cutoff: float = 0.8
    """Where the kernel's cosine roll-off reaches zero, in units of the image's Nyquist frequency."""
    roll_off: float = 1.0
    """Power of the cosine: larger is smoother."""
    boost: float = 0.0
    """Edge enhancement: how much the Nyquist frequency is lifted above the ramp."""
    floor: float = 0.04
    """Where the ramp stops falling, in units of the Nyquist frequency. The ideal ramp leaves no slow noise;
    scanners that interpolate between the turns of a spiral do. With 0.04 the simulated spectra of a smooth
    and a sharp kernel follow those of real pairs from the slowest to the finest noise."""
    electronic_share: float = 0.02
    """Electronic noise in units of the quantum noise of an unattenuated ray, for streaks behind bone."""
    bowtie: float = 0.3
    """0: flat beam; 1: the beam filter fully compensates a water cylinder of 330 mm."""
    modulation: float = 0.3
    """0: constant tube current; 1: current follows the attenuation of each view."""


def random_scan(random: np.random.Generator, *, views: int = 720) -> Scan:
    """A scanner from the family that the denoiser should serve."""
    smooth = random.random() < SMOOTH_KERNELS
    return Scan(
        views=views,
        cutoff=float(random.uniform(*(SMOOTH_CUTOFF if smooth else SHARP_CUTOFF))),
        floor=float(random.uniform(0.0, 0.1)),
        roll_off=float(random.uniform(*(SMOOTH_ROLL_OFF if smooth else SHARP_ROLL_OFF))),
        boost=float(random.uniform(*(SMOOTH_BOOST if smooth else SHARP_BOOST))),
        electronic_share=float(random.uniform(0.0, 0.06)),
        bowtie=float(random.uniform(0.0, 0.7)),
        modulation=float(random.uniform(0.0, 0.6)),
    )


def clamp(slice_hu: NDArray[np.floating] | NDArray[np.signedinteger]) -> FloatArray:
    """Padding and saturated values brought into the range that can be projected."""
    return np.asarray(np.clip(slice_hu, HU_MIN, HU_MAX), np.float32)


def line_integrals(slice_hu: FloatArray, *, spacing_mm: float, views: int) -> FloatArray:
    """Attenuation along each ray of a parallel beam, [views, rays], rays one grid pixel apart."""
    side = PROJECTION_GRID_PX
    small = cv2.resize(clamp(slice_hu), (side, side), interpolation=cv2.INTER_AREA)
    attenuation = np.maximum(small / 1000.0 + 1.0, 0.0) * np.float32(MU_WATER_PER_MM)
    step_mm = spacing_mm * slice_hu.shape[1] / side
    centre = (side - 1) / 2.0
    rays = np.empty((views, side), np.float32)
    for view in range(views):
        turned = cv2.warpAffine(
            attenuation,
            cv2.getRotationMatrix2D((centre, centre), 180.0 * view / views, 1.0),
            (side, side),
            flags=cv2.INTER_LINEAR,
        )
        rays[view] = turned.sum(axis=0)
    return np.asarray(rays * step_mm, np.float32)


def ray_standard_deviation(integrals: FloatArray, scan: Scan, *, step_mm: float) -> FloatArray:
    """Relative standard deviation of each measured line integral."""
    offset_mm = (np.arange(integrals.shape[1]) - (integrals.shape[1] - 1) / 2) * step_mm
    cylinder_mm = 2 * np.sqrt(np.maximum(165.0**2 - offset_mm**2, 0.0))
    shaped = scan.bowtie * MU_WATER_PER_MM * (330.0 - cylinder_mm)
    current = scan.modulation * (integrals.max(axis=1) - integrals.max())
    exponent = integrals + shaped[None, :] - current[:, None]
    counts = np.exp(-np.minimum(exponent, 9.0))
    reference = float(np.exp(-np.percentile(integrals, 90)))
    variance = reference / counts + (scan.electronic_share * reference / counts) ** 2 * 10.0
    return np.asarray(np.sqrt(variance), np.float32)


def kernel_response(rays: int, scan: Scan) -> FloatArray:
    """Ramp filter with a floor and a cosine roll-off, on the frequencies of `numpy.fft.rfft`."""
    frequency = np.fft.rfftfreq(rays) * 2.0 * RAYS_PER_PX
    window = np.cos(np.clip(frequency / scan.cutoff, 0.0, 1.0) * np.pi / 2) ** scan.roll_off
    ramp = np.hypot(frequency, scan.floor)
    return np.asarray(ramp * (1.0 + scan.boost * frequency**2) * window, np.float32)


def blur_px(scan: Scan) -> float:
    """Standard deviation of the Gaussian that blurs as this kernel blurs the patient, in pixels.

    Equal where the response has fallen to one half; 0 for a kernel that passes more than that up to the
    corner of the image's spectrum.
    """
    frequency = np.linspace(0.0, np.sqrt(2.0), 400)
    window = np.cos(np.clip(frequency / scan.cutoff, 0.0, 1.0) * np.pi / 2) ** scan.roll_off
    low = np.flatnonzero(window * (1.0 + scan.boost * frequency**2) < 0.5)
    if not len(low):
        return 0.0
    cycles_per_px = 0.5 * float(frequency[low[0]])
    return float(np.sqrt(np.log(2.0) / 2.0) / (np.pi * cycles_per_px))


def back_project(filtered: FloatArray, *, side_px: int) -> FloatArray:
    """Sum the views over the image, [views, rays, channels] to [side, side, channels]."""
    views, rays, channels = filtered.shape
    total = np.zeros((side_px, side_px, channels), np.float32)
    middle = (side_px - 1) / 2.0
    for view in range(views):
        angle = np.pi * view / views
        cosine, sine = float(np.cos(angle)), float(np.sin(angle))
        shift = (rays - 1) / 2.0 - RAYS_PER_PX * middle * (cosine + sine)
        matrix = np.array([[RAYS_PER_PX * cosine, RAYS_PER_PX * sine, shift], [0, 0, 0]], np.float64)
        smeared = cv2.warpAffine(
            np.ascontiguousarray(filtered[view][None]),
            matrix,
            (side_px, side_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        total += smeared.reshape(total.shape)
    return total * np.float32(np.pi / views)


def unit_noise(
    slice_hu: FloatArray, *, spacing_mm: float, scans: tuple[Scan, ...], random: np.random.Generator
) -> FloatArray:
    """Noise images, [scans, rows, columns], standard deviation 1 inside soft tissue.

    Square slices only. All scans must have the same number of views.
    """
    side = slice_hu.shape[0]
    views = scans[0].views
    integrals = line_integrals(slice_hu, spacing_mm=spacing_mm, views=views)
    rays = RAYS_PER_PX * (int(np.ceil(side * np.sqrt(2.0))) + 8)
    width = 2 * rays
    sinogram = np.empty((views, rays, len(scans)), np.float32)
    offset_px = (np.arange(rays) - (rays - 1) / 2) / RAYS_PER_PX
    grid = offset_px * PROJECTION_GRID_PX / side + (PROJECTION_GRID_PX - 1) / 2
    for channel, scan in enumerate(scans):
        deviation = ray_standard_deviation(integrals, scan, step_mm=spacing_mm * side / PROJECTION_GRID_PX)
        low = np.clip(np.floor(grid).astype(int), 0, PROJECTION_GRID_PX - 1)
        drawn = random.standard_normal((views, rays), dtype=np.float32) * deviation[:, low]
        spectrum = np.fft.rfft(drawn, n=width, axis=1) * kernel_response(width, scan)
        sinogram[:, :, channel] = np.fft.irfft(spectrum, n=width, axis=1)[:, :rays]
    noise = back_project(sinogram, side_px=side)
    inside = soft_tissue(slice_hu)
    return np.stack([noise[..., c] / noise[..., c][inside].std() for c in range(len(scans))])


def soft_tissue(slice_hu: FloatArray) -> NDArray[np.bool_]:
    """Pixels of soft tissue, away from its borders."""
    smooth = cv2.GaussianBlur(clamp(slice_hu), (0, 0), 1.5)
    mask = (smooth > SOFT_TISSUE_HU[0]) & (smooth < SOFT_TISSUE_HU[1])
    eroded = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    return eroded if eroded.sum() >= 400 else mask


def noise_level(slice_hu: FloatArray) -> float:
    """Standard deviation in soft tissue after removing what varies slowly: comparable, not absolute.

    Median absolute deviation, so that vessels and edges count little.
    """
    values = clamp(slice_hu)
    detail = (values - cv2.GaussianBlur(values, (0, 0), 2.0))[soft_tissue(values)]
    return float(1.4826 * np.median(np.abs(detail - np.median(detail))))
