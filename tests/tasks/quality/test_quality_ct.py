# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""CT series with faults of known place and size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.domain.acquisition import Acquisition, Completeness, Equipment
from appliance.domain.image import PixelImage
from appliance.domain.quality import QualityCheck, Verdict
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.tasks.quality_ct import TASK

Read = Callable[[Sequence[Path]], tuple[Acquisition, list[PixelImage]]]
GOOD = CtPlan(slices=12, spacing_mm=10.0)


def conclude(acquisition: Acquisition, images: Sequence[PixelImage]) -> dict[str, QualityCheck]:
    measures = [TASK.measure(acquisition, index, image) for index, image in enumerate(images)]
    return {check.criterion: check for check in TASK.conclude(acquisition, measures).quality}


def judge(read: Read, folder: Path, plan: CtPlan) -> dict[str, QualityCheck]:
    acquisition, images = read(write_ct(folder / "ct", plan).paths)
    assert TASK.accepts(acquisition, None) is None
    return conclude(acquisition, images)


def flagged(checks: dict[str, QualityCheck]) -> set[str]:
    return {name for name, check in checks.items() if check.verdict in (Verdict.CHECK, Verdict.REPEAT)}


def test_a_good_series_is_not_flagged(tmp_path: Path, series: Read) -> None:
    checks = judge(series, tmp_path, GOOD)
    assert flagged(checks) == set()
    assert checks["slice_spacing"].value == 10.0
    assert checks["noise"].value == pytest.approx(GOOD.noise_hu, abs=2.5)
    assert checks["scaling"].value == pytest.approx(-1000, abs=3)
    assert checks["completeness"].verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize(
    ("plan", "criterion"),
    [
        (replace(GOOD, missing=(5,)), "slice_stack"),
        (replace(GOOD, doubled=(5,)), "slice_stack"),
        (replace(GOOD, header_spacing_mm=5.0), "slice_spacing"),
        (replace(GOOD, noise_hu=60.0), "noise"),
        (replace(GOOD, streaked=(4,)), "motion"),
        (replace(GOOD, metal=(6,)), "metal"),
        (replace(GOOD, intercept_error_hu=1024.0), "scaling"),
        (replace(GOOD, field_mm=200.0, slices=6), "field_of_view"),
    ],
)
def test_one_planted_fault_is_flagged_by_its_own_criterion(
    tmp_path: Path, series: Read, plan: CtPlan, criterion: str
) -> None:
    found = flagged(judge(series, tmp_path, plan))
    assert criterion in found
    assert found <= {criterion, "motion"} if criterion == "metal" else found == {criterion}


def test_marks_name_the_slices_in_stack_order(tmp_path: Path, series: Read) -> None:
    last = GOOD.slices - 1
    streaks = judge(series, tmp_path, replace(GOOD, streaked=(4,)))["motion"]
    assert [mark.points_px for mark in streaks.marks] == [((last - 4.0, last - 4.0),)]
    gap = judge(series, tmp_path / "gap", replace(GOOD, missing=(5,)))["slice_stack"]
    assert gap.value == pytest.approx(GOOD.spacing_mm)
    assert [mark.points_px for mark in gap.marks] == [((5.0, 6.0),)]
    assert "1 slice is missing" in gap.advice


def test_noise_follows_the_planted_noise(tmp_path: Path, series: Read) -> None:
    values = [
        judge(series, tmp_path / str(noise), replace(GOOD, slices=3, noise_hu=noise))["noise"].value
        for noise in (6.0, 12.0, 24.0)
    ]
    assert values[0] is not None
    assert values[1] == pytest.approx(2 * values[0], rel=0.2)
    assert values[2] == pytest.approx(4 * values[0], rel=0.2)


def test_a_sharp_kernel_is_not_blamed_for_its_noise(tmp_path: Path, series: Read) -> None:
    acquisition, images = series(write_ct(tmp_path / "ct", replace(GOOD, slices=3, noise_hu=60.0)).paths)
    for kernel, verdict in (
        ("B70f", Verdict.NOT_CHECKED),
        ("LUNG", Verdict.NOT_CHECKED),
        ("B30f", Verdict.CHECK),
    ):
        sharp: Equipment = replace(acquisition.first.equipment, convolution_kernel=kernel)
        told = replace(
            acquisition, instances=tuple(replace(one, equipment=sharp) for one in acquisition.instances)
        )
        check = conclude(told, images)["noise"]
        assert check.verdict is verdict, kernel
        assert check.value is not None


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (Completeness.COMPLETE, Verdict.OK),
        (Completeness.QUIET, Verdict.NOT_CHECKED),
        (Completeness.RECEIVING, Verdict.NOT_CHECKED),
        (Completeness.INCOMPLETE, Verdict.CHECK),
        (Completeness.CONFLICT, Verdict.CHECK),
    ],
)
def test_completeness_is_what_the_intake_knows(
    tmp_path: Path, series: Read, state: Completeness, verdict: Verdict
) -> None:
    acquisition, images = series(write_ct(tmp_path / "ct", replace(GOOD, slices=3)).paths)
    assert conclude(replace(acquisition, completeness=state), images)["completeness"].verdict is verdict


def test_two_passes_over_the_same_places_are_no_doubled_slices(tmp_path: Path, series: Read) -> None:
    first = write_ct(tmp_path / "a", GOOD).paths
    second = write_ct(tmp_path / "b", replace(GOOD, seed=2)).paths
    check = conclude(*series([*first, *second]))["slice_stack"]
    assert check.verdict is Verdict.OK
    assert "2 times" in check.advice


def test_without_positions_nothing_is_claimed(tmp_path: Path, series: Read) -> None:
    acquisition, images = series(write_ct(tmp_path / "ct", replace(GOOD, slices=4)).paths)
    blind = replace(acquisition, slices=tuple(replace(one, position_mm=None) for one in acquisition.slices))
    checks = conclude(blind, images)
    assert checks["slice_stack"].verdict is checks["slice_spacing"].verdict is Verdict.NOT_CHECKED


def test_other_modalities_and_scouts_are_refused(tmp_path: Path, series: Read) -> None:
    acquisition, _ = series(write_ct(tmp_path / "ct", replace(GOOD, slices=2)).paths)
    first = acquisition.first
    for other in (
        replace(first, modality="MR"),
        replace(first, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")),
    ):
        refused = TASK.accepts(replace(acquisition, instances=(other, other)), None)
        assert refused is not None
        assert refused.reason.endswith(".")
