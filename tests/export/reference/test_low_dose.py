# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The simulator makes the noise of a scanner, not white noise, and twice as much at a quarter of the dose."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")

from export.reference.low_dose import (  # noqa: E402 - only where OpenCV is installed
    HU_MAX,
    HU_MIN,
    Scan,
    clamp,
    noise_level,
    random_scan,
    soft_tissue,
    unit_noise,
)

DATA = Path(os.environ.get("SCANSIDE_DATA", Path(__file__).parents[4] / "shared" / "data"))
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


def test_a_quarter_of_the_dose_doubles_the_noise_like_the_real_pairs() -> None:
    pairs = sorted((DATA / "ct" / "ct-lowdose-pairs").glob("L192_B30f_3mm/*_FD.dcm"))[:2]
    if not pairs:
        pytest.skip(f"no CT pairs under {DATA}: set SCANSIDE_DATA")
    ct_slices = pytest.importorskip("export.reference.ct_slices")
    random = np.random.default_rng(4)
    for path in pairs:
        routine, spacing_mm = ct_slices.read_hu(path)
        quarter, _ = ct_slices.read_hu(path.with_name(path.name.replace("_FD", "_QD")))
        scan = Scan(views=360, cutoff=1.1, roll_off=1.8)
        noise = unit_noise(clamp(routine), spacing_mm=spacing_mm, scans=(scan,), random=random)[0]
        own = noise_level(routine)
        simulated = noise_level(
            clamp(routine) + np.float32(np.sqrt(3.0) * own) * noise / noise_level_of(noise, routine)
        )
        assert 1.7 < simulated / own < 2.3
        assert simulated == pytest.approx(noise_level(quarter), rel=0.25)


def noise_level_of(noise: np.ndarray, slice_hu: np.ndarray) -> float:
    """The same high-pass estimate as `noise_level`, on a noise image, over the soft tissue of a slice."""
    detail = (noise - cv2.GaussianBlur(noise, (0, 0), 2.0))[soft_tissue(clamp(slice_hu))]
    return float(1.4826 * np.median(np.abs(detail - np.median(detail))))


def test_scanners_are_drawn_within_their_ranges() -> None:
    random = np.random.default_rng(5)
    scans = [random_scan(random) for _ in range(200)]
    assert {scan.views for scan in scans} == {720}
    assert all(0.7 <= scan.cutoff <= 1.7 and 0.0 <= scan.bowtie <= 0.7 for scan in scans)
