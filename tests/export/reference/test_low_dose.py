# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The simulator makes the noise of a scanner, not white noise, and twice as much at a quarter of the dose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

from export.reference.low_dose import (  # noqa: E402 - only where OpenCV is installed
    HU_MAX,
    HU_MIN,
    Scan,
    clamp,
    random_scan,
    soft_tissue,
    unit_noise,
)

VIEWS = 180


def water(side: int = 256) -> np.ndarray:
    image = np.full((side, side), -1000.0, np.float32)
    cv2.circle(image, (side // 2, side // 2), side // 3, 20.0, -1)
    return image


def radial_mean_frequency(noise: np.ndarray, side: int = 64) -> float:
    middle = noise.shape[0] // 2
    patch = noise[middle - side // 2 : middle + side // 2, middle - side // 2 : middle + side // 2]
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.fft2((patch - patch.mean()) * window)) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    return float((frequency * power).sum() / power.sum())


def test_padding_of_every_maker_is_clamped() -> None:
    padded = np.array([-1024, -2000, -2048, -3024, 8000, 40], np.int16)
    assert clamp(padded).tolist() == [HU_MIN, HU_MIN, HU_MIN, HU_MIN, HU_MAX, 40.0]


def test_noise_has_unit_deviation_in_soft_tissue_and_no_offset() -> None:
    random = np.random.default_rng(1)
    noise = unit_noise(water(), spacing_mm=1.2, scans=(Scan(views=VIEWS),), random=random)[0]
    inside = soft_tissue(water())
    assert noise[inside].std() == pytest.approx(1.0, abs=1e-3)
    assert abs(noise[inside].mean()) < 0.05


def test_a_sharper_kernel_gives_finer_noise() -> None:
    random = np.random.default_rng(2)
    scans = (
        Scan(views=VIEWS, cutoff=0.8, roll_off=2.0),
        Scan(views=VIEWS, cutoff=1.6, roll_off=0.6, boost=1.5),
    )
    smooth, sharp = unit_noise(water(), spacing_mm=1.2, scans=scans, random=random)
    assert radial_mean_frequency(smooth) < 0.25 < radial_mean_frequency(sharp)


def test_there_is_more_noise_in_the_middle_without_a_beam_filter() -> None:
    random = np.random.default_rng(3)
    scan = Scan(views=VIEWS, bowtie=0.0, modulation=0.0)
    draws = np.stack([unit_noise(water(), spacing_mm=1.2, scans=(scan,), random=random)[0] for _ in range(4)])
    rows, columns = np.ogrid[:256, :256]
    radius = np.hypot(rows - 127.5, columns - 127.5)
    assert draws[:, radius < 25].std() > 1.15 * draws[:, (radius > 65) & (radius < 80)].std()


REAL_SERIES = {
    "L192_B30f_3mm": Scan(views=360, cutoff=1.0, roll_off=1.8),
    "L192_D45f_3mm": Scan(views=360, cutoff=2.2, roll_off=1.0),
    "L096_D45f_3mm": Scan(views=360, cutoff=2.2, roll_off=1.0),
}
"""Real pairs by series, and the simulated scanner that stands for their kernel."""


def grain(image: np.ndarray, slice_hu: np.ndarray) -> float:
    """Noise in soft tissue by a filter that sees neither slopes nor smooth edges (Immerkaer, 1996)."""
    filtered = cv2.filter2D(image, -1, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6)
    return 1.4826 * float(np.median(np.abs(filtered[soft_tissue(slice_hu)])))


@pytest.mark.parametrize("series", REAL_SERIES)
def test_a_simulated_quarter_dose_has_the_noise_and_the_spectrum_of_the_real_one(
    real_data: Path, series: str
) -> None:
    ct_slices = pytest.importorskip("export.reference.ct_slices")
    path = max((real_data / "ct" / "ct-lowdose-pairs" / series).glob("*_FD.dcm"))
    routine, spacing_mm = ct_slices.read_hu(path)
    quarter, _ = ct_slices.read_hu(path.with_name(path.name.replace("_FD", "_QD")))
    routine, quarter = clamp(routine), clamp(quarter)
    random = np.random.default_rng(4)
    noise = unit_noise(routine, spacing_mm=spacing_mm, scans=(REAL_SERIES[series],), random=random)[0]
    own_hu = grain(routine, routine) / grain(noise, routine)
    simulated = routine + np.float32(np.sqrt(3.0) * own_hu) * noise
    for low in (quarter, simulated):
        assert 1.9 < grain(low, routine) / grain(routine, routine) < 2.3
    added = quarter - routine
    real, made = (radial_spectrum(image) for image in (added, noise))
    assert np.abs(real - made).sum() < 0.15, "share of the power that lies in another frequency"


def radial_spectrum(noise: np.ndarray, side: int = 64, rings: int = 12) -> np.ndarray:
    """Power by frequency, of the middle of the slice, summing to 1."""
    window = np.outer(np.hanning(side), np.hanning(side))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    power = np.zeros((side, side))
    for row in range(160, 320, 32):
        for column in range(128, 352, 32):
            patch = noise[row : row + side, column : column + side]
            power += np.abs(np.fft.fft2((patch - patch.mean()) * window)) ** 2
    ring = (frequency * 2 * rings).astype(int)
    mean = np.array([power[ring == number].mean() for number in range(rings)])
    return mean / mean.sum()


def test_scanners_are_drawn_within_their_ranges() -> None:
    random = np.random.default_rng(5)
    scans = [random_scan(random) for _ in range(200)]
    assert {scan.views for scan in scans} == {720}
    assert all(0.7 <= scan.cutoff <= 2.3 and 0.0 <= scan.bowtie <= 0.7 for scan in scans)
