# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A series, slice after slice: measured with damaged slices among them, denoised whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.record import from_json
from appliance.domain.result import LaneResult
from appliance.domain.view import VIEW_FILE, View
from appliance.errors import EngineError, InputError
from appliance.layout import Layout
from appliance.pipeline.bench import Bench
from appliance.pipeline.line import run_lane
from appliance.pipeline.views import DENOISED, PIXELS
from appliance.pipeline.volume import MOST_MARKS
from tests.line_parts import ArrayFrames, Shelf, Slice, image_of
from tests.tiny_bundles import halving_model

Series = tuple[Acquisition, tuple[PixelImage, ...]]
DAMAGE = InputError("The compressed data end early.", remedy="Send it again.")
STREAKED = 6
"""Of the phantom in conftest.py."""


def with_damage(images: tuple[PixelImage, ...], *places: int) -> ArrayFrames:
    return ArrayFrames(DAMAGE if index in places else image for index, image in enumerate(images))


def checks(result: LaneResult) -> dict[str, QualityCheck]:
    return {check.criterion: check for check in result.quality}


def view_of(layout: Layout, acquisition: Acquisition) -> Path:
    return layout.view_of(acquisition.acquisition_id, acquisition.version)


def derived_files(layout: Layout) -> list[Path]:
    return [path for path in layout.results.rglob("*") if path.is_file()]


@pytest.fixture
def denoiser(shelf: Shelf, denoise_card: ModelCard, tmp_path: Path) -> Shelf:
    """It changes nothing."""
    shelf.put(denoise_card, halving_model(factor=1.0), tmp_path)
    return shelf


def test_every_slice_is_measured_and_shown(ct: Series, bench: Bench, layout: Layout) -> None:
    acquisition, images = ct
    result = run_lane(Lane.QUALITY, acquisition, ArrayFrames(images), bench)
    found = checks(result)
    assert "damaged_slices" not in found
    assert [mark.points_px[0] for mark in found["motion"].marks] == [(STREAKED, STREAKED)]
    view = view_of(layout, acquisition)
    shown = np.load(view / PIXELS, mmap_mode="r")
    np.testing.assert_array_equal(shown, np.stack([image.stored for image in images]))
    assert from_json(View, (view / VIEW_FILE).read_text(encoding="utf-8")).intercept == images[0].intercept
    assert [timing.stage for timing in result.timings] == ["decoded", "prepared", "written", "interpreted"]


# Trace: REQ-056
def test_damaged_slices_are_told_with_their_places_and_shift_nothing(
    ct: Series, bench: Bench, layout: Layout
) -> None:
    acquisition, images = ct
    result = run_lane(Lane.QUALITY, acquisition, with_damage(images, 0, 3), bench)
    found = checks(result)
    damaged = found["damaged_slices"]
    assert (damaged.verdict, damaged.value, damaged.limit) == (Verdict.REPEAT, 2.0, 0.0)
    assert [mark.points_px for mark in damaged.marks] == [((0, 0),), ((3, 3),)]
    assert "2 slices between 1 and 4" in damaged.advice
    assert [mark.points_px[0] for mark in found["motion"].marks] == [(STREAKED, STREAKED)]
    assert f"slice {STREAKED + 1}" in found["motion"].advice
    shown = np.load(view_of(layout, acquisition) / PIXELS)
    assert not shown[[0, 3]].any()
    np.testing.assert_array_equal(shown[4], images[4].stored)


def test_a_single_damaged_slice_is_named(ct: Series, bench: Bench) -> None:
    acquisition, images = ct
    found = checks(run_lane(Lane.QUALITY, acquisition, with_damage(images, 7), bench))
    assert "data of slice 8 are damaged" in found["damaged_slices"].advice


def test_equal_slices_on_both_sides_of_a_damaged_one_are_not_doubled(ct: Series, bench: Bench) -> None:
    acquisition, images = ct
    same = (*images[:3], images[3], images[2], *images[5:])
    found = checks(run_lane(Lane.QUALITY, acquisition, with_damage(same, 3), bench))
    assert found["slice_stack"].verdict is Verdict.OK


def test_of_many_damaged_slices_only_some_are_marked_and_all_are_counted(ct: Series, bench: Bench) -> None:
    acquisition, images = ct
    many = replace(acquisition, slices=acquisition.slices[:1] * 30)
    frames = with_damage(images[:1] * 30, *range(1, 30))
    damaged = checks(run_lane(Lane.QUALITY, many, frames, bench))["damaged_slices"]
    assert (damaged.value, len(damaged.marks)) == (29.0, MOST_MARKS)


def test_a_series_without_a_readable_slice_is_refused_with_the_first_reason(
    ct: Series, bench: Bench, layout: Layout
) -> None:
    acquisition, images = ct
    with pytest.raises(InputError, match="end early"):
        run_lane(Lane.QUALITY, acquisition, with_damage(images, *range(len(images))), bench)
    assert not (view_of(layout, acquisition) / PIXELS).exists()


@pytest.mark.parametrize("inverted", [False, True])
def test_slices_with_other_rescale_values_are_shown_on_one_scale(
    ct: Series, bench: Bench, layout: Layout, inverted: bool
) -> None:
    acquisition, _ = ct
    ramp = np.linspace(0, 1000, 64).astype(np.uint16).reshape(8, 8)
    slices = [
        image_of(ramp, slope=2.0, intercept=-100.0, inverted=inverted),
        image_of(ramp, slope=1.0, intercept=500.0, inverted=inverted),
    ]
    other = replace(acquisition, slices=acquisition.slices[:2])
    run_lane(Lane.QUALITY, other, ArrayFrames(slices), bench)
    first, second = np.load(view_of(layout, acquisition) / PIXELS)
    np.testing.assert_array_equal(first, ramp)
    np.testing.assert_allclose(slices[0].to_grey(second), slices[1].grey(), atol=1.0)


def test_floating_point_slices_are_shown_on_the_scale_of_the_first(
    ct: Series, bench: Bench, layout: Layout
) -> None:
    acquisition, _ = ct
    values = np.linspace(0.0, 1.0, 64, dtype=np.float32).reshape(8, 8)
    slices = [image_of(values, stored_range=(0, 1)), image_of(values / 2, stored_range=(0, 1))]
    run_lane(Lane.QUALITY, replace(acquisition, slices=acquisition.slices[:2]), ArrayFrames(slices), bench)
    folder = view_of(layout, acquisition)
    view = from_json(View, (folder / VIEW_FILE).read_text(encoding="utf-8"))
    shown = np.load(folder / PIXELS) * view.slope + view.intercept
    np.testing.assert_allclose(shown, np.stack([values, values / 2]), atol=1e-4)


# Trace: REQ-027
def test_a_denoised_series_lies_beside_the_original(
    ct: Series, bench: Bench, layout: Layout, denoiser: Shelf
) -> None:
    acquisition, images = ct
    run_lane(Lane.QUALITY, acquisition, ArrayFrames(images), bench)
    result = run_lane(Lane.DENOISE, acquisition, ArrayFrames(images), bench)
    assert result.refusals == ()
    assert len(result.derived) == len(images)
    for file, image in zip(result.derived, images, strict=True):
        np.testing.assert_array_equal(dcmread(layout.data / file.path).pixel_array, image.stored)
    folder = view_of(layout, acquisition)
    assert from_json(View, (folder / VIEW_FILE).read_text(encoding="utf-8")).denoised == DENOISED
    assert np.load(folder / DENOISED).shape == np.load(folder / PIXELS).shape
    assert [(use.task, use.model, use.engine) for use in result.engines] == [
        ("ct_denoise", "ct_denoise@1.0", "ort f32 CPU")
    ]
    assert [timing.stage for timing in result.timings] == [
        "decoded",
        "prepared",
        "inferred",
        "interpreted",
        "written",
    ]


def test_what_a_denoiser_may_not_change_is_outlined_with_its_slice(
    ct: Series, bench: Bench, shelf: Shelf, denoise_card: ModelCard, tmp_path: Path
) -> None:
    acquisition, images = ct
    shelf.put(denoise_card, halving_model(factor=0.997), tmp_path)  # air rises by 3 HU, which is no noise
    result = run_lane(Lane.DENOISE, acquisition, ArrayFrames(images), bench)
    assert result.refusals == ()
    for index, file in enumerate(result.derived):
        assert {(mark.label, mark.slice_index) for mark in file.marks} == {("original kept", index)}


def test_a_damaged_slice_refuses_the_denoised_series_and_leaves_nothing_of_it(
    ct: Series, bench: Bench, layout: Layout, denoiser: Shelf
) -> None:
    acquisition, images = ct
    run_lane(Lane.QUALITY, acquisition, ArrayFrames(images), bench)
    result = run_lane(Lane.DENOISE, acquisition, with_damage(images, 5), bench)
    assert [(refusal.task, refusal.reason) for refusal in result.refusals] == [("ct_denoise", str(DAMAGE))]
    assert result.derived == ()
    assert result.engines == (), "it gave no answer"
    assert derived_files(layout) == []
    folder = view_of(layout, acquisition)
    assert not list(folder.glob("denoised*"))
    assert from_json(View, (folder / VIEW_FILE).read_text(encoding="utf-8")).denoised is None
    assert denoiser.given_up == [], "the engine is not to blame"


@dataclass
class BreakingOff:
    """Ends the work after some slices, as a lost lease or the order to stop does."""

    after: int
    calls: int = field(default=0)

    def __call__(self) -> None:
        self.calls += 1
        if self.calls == self.after:
            raise ZeroDivisionError


def test_work_that_is_broken_off_leaves_nothing(
    ct: Series, bench: Bench, layout: Layout, denoiser: Shelf
) -> None:
    acquisition, images = ct
    with pytest.raises(ZeroDivisionError):
        run_lane(Lane.DENOISE, acquisition, ArrayFrames(images), replace(bench, between=BreakingOff(after=4)))
    assert derived_files(layout) == []
    assert not list(view_of(layout, acquisition).glob("denoised*"))


def test_an_engine_that_shifts_ct_numbers_is_given_up_and_leaves_nothing(
    ct: Series, bench: Bench, layout: Layout, shelf: Shelf, denoise_card: ModelCard, tmp_path: Path
) -> None:
    acquisition, images = ct
    shelf.put(denoise_card, halving_model(factor=0.97), tmp_path)
    slices: list[Slice] = [replace(image, stored=np.full_like(image.stored, 1024)) for image in images]
    slices[2:] = images[2:]  # the first two hold 0 HU only: nothing to shift
    with pytest.raises(EngineError, match="shifted the CT numbers"):
        run_lane(Lane.DENOISE, acquisition, ArrayFrames(slices), bench)
    assert [task for task, _ in shelf.given_up] == ["ct_denoise"]
    assert derived_files(layout) == []


def test_an_engine_that_fails_is_given_up(
    ct: Series, bench: Bench, shelf: Shelf, denoise_card: ModelCard, tmp_path: Path
) -> None:
    acquisition, images = ct
    shelf.put(denoise_card, halving_model("raise"), tmp_path, engine="faulty")
    with pytest.raises(EngineError, match="as it was asked to"):
        run_lane(Lane.DENOISE, acquisition, ArrayFrames(images), bench)
    assert [task for task, _ in shelf.given_up] == ["ct_denoise"]


def test_the_bench_is_asked_between_slices(ct: Series, bench: Bench) -> None:
    acquisition, images = ct
    counted = BreakingOff(after=-1)
    run_lane(Lane.QUALITY, acquisition, with_damage(images, 2), replace(bench, between=counted))
    assert counted.calls == len(images) - 1
