# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A change that is noise passes; a lesion that goes with it comes back, and is outlined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.domain.quality import MarkShape
from appliance.tasks.ct_denoise import TASK
from appliance.tasks.ct_denoise.noise_bound import bounded, noise_sd
from appliance.tasks.ct_denoise.structure import (
    MOST_OUTLINES,
    Guarded,
    outlines,
    with_original_structure,
)

SIDE_PX = 512
SD_HU = 25.0
AT = (300, 210)
Image = NDArray[np.float32]


def noise(grain_px: float, seed: int) -> Image:
    """Noise of one kernel, louder in the middle as in a body."""
    drawn = np.random.default_rng(seed).standard_normal((SIDE_PX, SIDE_PX)).astype(np.float32)
    smooth = cv2.GaussianBlur(drawn, (0, 0), grain_px) if grain_px else drawn
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX - 0.5
    louder = 0.7 + 0.6 * np.exp(-(rows**2 + columns**2) / 0.08)
    return np.asarray(SD_HU * louder * smooth / smooth.std(), np.float32)


def body() -> Image:
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX]
    image = np.where(np.hypot(rows - 256, columns - 256) < 230, 50.0, -1000.0)
    image[np.hypot(rows - 200, columns - 330) < 60] = -850.0
    return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.8), np.float32)


def disc(diameter_px: float, contrast_hu: float) -> Image:
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX]
    inside = np.hypot(rows - AT[0], columns - AT[1]) <= diameter_px / 2
    return np.asarray(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7) * contrast_hu, np.float32)


def guarded(denoised: Image, original: Image) -> Guarded:
    level = noise_sd(original)
    return with_original_structure(bounded(denoised, original, level), original, level)


@pytest.mark.parametrize("grain_px", [0.0, 0.7, 1.2])
def test_taking_away_nothing_but_noise_is_let_through(grain_px: float) -> None:
    shares = []
    for seed in range(6):
        unwanted = noise(grain_px, seed)
        original = body() + unwanted
        shares.append(guarded(original - 0.8 * unwanted, original).kept.mean())
    assert np.median(shares) == 0.0
    assert np.mean(shares) < 5e-4


# Trace: REQ-026
@pytest.mark.parametrize(
    ("grain_px", "diameter_px", "contrast_sd"),
    [
        (0.0, 5, 3.0),
        (0.0, 8, 2.0),
        (0.0, 14, 1.5),
        (0.0, 14, -1.5),
        (0.7, 8, 3.0),
        (0.7, 11, 2.2),
        (0.7, 16, 1.8),
        (0.7, 16, -1.8),
    ],
)
def test_a_lesion_that_is_taken_away_comes_back(
    grain_px: float, diameter_px: float, contrast_sd: float
) -> None:
    lesion = disc(diameter_px, contrast_sd * SD_HU)
    unwanted = noise(grain_px, 7)
    original = body() + lesion + unwanted
    found = guarded(body() + 0.2 * unwanted, original)
    inside = np.abs(lesion) > np.abs(lesion).max() * 0.5
    assert found.kept[inside].mean() > 0.9
    np.testing.assert_array_equal(found.slice_hu[found.kept], original[found.kept])
    far = np.hypot(*(np.mgrid[:SIDE_PX, :SIDE_PX] - np.array(AT)[:, None, None])) > 60
    assert found.kept[far].mean() < 1e-3
    assert found.slice_hu[far].std() < original[far].std(), "elsewhere the noise is gone"


# Trace: REQ-026
def test_a_lesion_that_is_painted_in_is_taken_out() -> None:
    unwanted = noise(0.7, 8)
    original = body() + unwanted
    found = guarded(original - 0.8 * unwanted + disc(10, 40.0), original)
    assert found.kept[AT]
    assert found.slice_hu[AT] == original[AT]


def test_a_filter_that_blurs_edges_does_not_pass_for_a_denoiser() -> None:
    unwanted = noise(0.7, 9)
    original = body() + unwanted
    blurred = np.asarray(cv2.GaussianBlur(original, (0, 0), 2.0), np.float32)
    edge = np.abs(np.hypot(*(np.mgrid[:SIDE_PX, :SIDE_PX] - 256.0)) - 230) < 2
    assert guarded(blurred, original).kept[edge].mean() > 0.9


def test_there_is_no_seam_around_what_was_kept() -> None:
    unwanted = noise(0.0, 7)
    original = body() + disc(8, 3 * SD_HU) + unwanted
    denoised = body() + 0.2 * unwanted
    found = guarded(denoised, original)
    near = cv2.dilate(found.kept.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~found.kept
    change, wish = np.abs(found.slice_hu - original)[near], np.abs(denoised - original)[near]
    assert change.mean() < 0.5 * wish.mean()


@pytest.mark.parametrize("shape", [(7, 9), (33, 64), (129, 31), (1, 1)])
def test_small_and_odd_slices_are_searched_too(shape: tuple[int, int]) -> None:
    original = np.random.default_rng(3).normal(0, 10, shape).astype(np.float32)
    found = guarded(original * np.float32(0.5), original)
    assert found.kept.shape == found.slice_hu.shape == shape
    assert np.isfinite(found.slice_hu).all()


def test_a_slice_that_did_not_change_keeps_nothing_in_particular() -> None:
    original = body()
    assert not guarded(original, original).kept.any()


def test_outlines_follow_the_places_largest_first() -> None:
    kept = np.zeros((200, 200), np.bool_)
    for number in range(MOST_OUTLINES + 5):
        row, column = 10 + 30 * (number // 6), 10 + 30 * (number % 6)
        kept[row : row + 5 + (number == 7) * 9, column : column + 7] = True
    drawn = outlines(kept)
    assert len(drawn) == MOST_OUTLINES
    rows, columns = zip(*drawn[0], strict=True)
    assert (min(rows), max(rows), min(columns), max(columns)) == (40, 53, 40, 46)


def test_the_task_outlines_what_it_gave_back(
    make_acquisition: Callable[..., Acquisition], denoise_card: ModelCard
) -> None:
    acquisition = make_acquisition(
        kind=Kind.VOLUME, count=3, modality="CT", sop_class_uid="1.2.840.10008.5.1.4.1.1.2"
    )
    unwanted = noise(0.7, 7)
    stored = np.round(body() + disc(16, 60.0) + unwanted).astype(np.int16)
    known: dict[str, Any] = {"slope": 1.0, "intercept": 0.0, "inverted": False, "voi": None}
    image = PixelImage(
        stored=stored,
        stored_range=(-32768, 32767),
        padding=None,
        spacing_mm=(0.7, 0.7),
        rescale_type="HU",
        **known,
    )
    wish = np.asarray(body() + 0.2 * unwanted, np.float32)
    made = TASK.interpret(acquisition, image, {"denoised": wish[None, None]}, denoise_card)
    assert [mark.shape for mark in made.marks] == [MarkShape.POLYGON]
    outline = np.array(made.marks[0].points_px, np.float32)
    assert cv2.pointPolygonTest(outline, AT, measureDist=False) > 0
    assert made.values[AT] == stored[AT]
