# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Chest radiographs with faults of known size, and what quality control says about each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.domain.quality import QualityCheck, Verdict, worst
from appliance.engines.base import Tensors
from appliance.errors import EngineError
from appliance.selftest.phantom_exposure import ExposurePlan, Shutter
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.tasks.quality_chest import TASK

Read = Callable[[Path], tuple[Acquisition, PixelImage]]
ROWS, COLUMNS = 1000, 834
SURE = 6.0


def judge(
    read: Read,
    folder: Path,
    plan: ExposurePlan | None = None,
    *,
    identity: Identity | None = None,
    card: ModelCard | None = None,
    outputs: Tensors | None = None,
    monochrome1: bool = False,
) -> dict[str, QualityCheck]:
    written = write_chest(
        folder / "chest.dcm", plan, identity=identity, rows=ROWS, columns=COLUMNS, monochrome1=monochrome1
    )
    acquisition, image = read(written.path)
    assert TASK.accepts(acquisition, card) is None
    answer = TASK.interpret(acquisition, image, outputs or {}, card)
    return {check.criterion: check for check in answer.quality}


def seen(part: int, quarter: int = 0) -> Tensors:
    """Outputs of a model that is sure: part 0 chest, 1 upper limb; quarters clockwise."""
    parts, turns = np.full((1, 2), -SURE, np.float32), np.full((1, 4), -SURE, np.float32)
    parts[0, part], turns[0, quarter] = SURE, SURE
    return {"logits_part": parts, "logits_rotation": turns}


def flagged(checks: dict[str, QualityCheck]) -> set[str]:
    return {name for name, check in checks.items() if check.verdict in (Verdict.CHECK, Verdict.REPEAT)}


@pytest.mark.parametrize("monochrome1", [False, True])
def test_a_good_chest_is_not_flagged(
    tmp_path: Path, radiograph: Read, view_card: ModelCard, monochrome1: bool
) -> None:
    checks = judge(radiograph, tmp_path, card=view_card, outputs=seen(0), monochrome1=monochrome1)
    assert flagged(checks) == set()
    assert worst(tuple(checks.values())) is Verdict.OK
    assert checks["body_part_agrees"].verdict is checks["orientation"].verdict is Verdict.OK
    assert checks["rotation"].verdict is checks["inspiration"].verdict is Verdict.NOT_CHECKED


def test_every_check_says_why_and_an_ok_with_a_limit_has_a_value(tmp_path: Path, radiograph: Read) -> None:
    for check in judge(radiograph, tmp_path).values():
        assert check.advice.endswith("."), check
        assert (check.value is None) == (check.unit is None), check
        assert check.limit is None or check.value is not None, check


@pytest.mark.parametrize("collimation_mm", [0.0, 12.0])
def test_cut_off_bases_are_seen_with_their_side(
    tmp_path: Path, radiograph: Read, collimation_mm: float
) -> None:
    plan = ExposurePlan(shift_mm=(140.0, 0.0), collimation_mm=(collimation_mm,) * 4)
    check = judge(radiograph, tmp_path, plan)["field_of_view"]
    assert check.verdict is Verdict.REPEAT
    assert check.value == 0.0
    assert "Right base cut off" in check.advice
    assert "Lower the detector" in check.advice
    (mark,) = check.marks
    (row0, column0), (row1, column1) = mark.points_px
    bottom = ROWS - collimation_mm / 0.42
    assert abs(row0 - bottom) < 12
    assert row0 == row1
    assert column0 < column1 < COLUMNS / 2


def test_a_little_cut_is_a_question_and_none_is_not(tmp_path: Path, radiograph: Read) -> None:
    margins = []
    for shift in (0.0, 60.0, 110.0):
        check = judge(radiograph, tmp_path, ExposurePlan(shift_mm=(shift, 0.0)))["field_of_view"]
        margins.append(check.value)
        assert check.verdict is (Verdict.CHECK if shift == 110.0 else Verdict.OK), shift
    assert margins[1] is not None
    assert margins[2] is not None
    assert margins[1] > margins[2]


def test_sides_are_those_of_the_picture_when_the_header_gives_none(tmp_path: Path, radiograph: Read) -> None:
    written = write_chest(tmp_path / "c.dcm", ExposurePlan(shift_mm=(140.0, 0.0)), rows=ROWS, columns=COLUMNS)
    acquisition, image = radiograph(written.path)
    first = acquisition.first
    unknown = replace(
        acquisition,
        instances=(replace(first, geometry=replace(first.geometry, patient_orientation=None)),),
    )
    without_mm = replace(image, spacing_mm=None)
    check = next(
        check
        for check in TASK.interpret(unknown, without_mm, {}, None).quality
        if check.criterion == "field_of_view"
    )
    assert check.advice.startswith("On the left of the picture")
    assert check.unit == "%"


def test_a_blank_exposure_is_repeated_and_nothing_else_is_judged(tmp_path: Path, radiograph: Read) -> None:
    checks = judge(radiograph, tmp_path, ExposurePlan(blank=True))
    assert checks["blank_exposure"].verdict is Verdict.REPEAT
    for name in ("field_of_view", "noise", "saturation", "sharpness", "collimation"):
        assert checks[name].verdict is Verdict.NOT_CHECKED, name


def test_underexposure_needs_number_and_noise_to_ask_for_a_repeat(tmp_path: Path, radiograph: Read) -> None:
    low = judge(radiograph, tmp_path, ExposurePlan(dose=0.5))["exposure"]
    assert low.value == pytest.approx(-3.01)
    assert low.verdict is Verdict.CHECK
    checks = judge(radiograph, tmp_path, ExposurePlan(dose=0.03))
    assert checks["exposure"].verdict is Verdict.REPEAT
    assert checks["noise"].verdict is Verdict.CHECK
    high = judge(radiograph, tmp_path, ExposurePlan(dose=4.0))["exposure"]
    assert high.verdict is Verdict.CHECK
    assert "Do not repeat" in high.advice
    absent = judge(radiograph, tmp_path, identity=Identity(exposure_index_given=False))["exposure"]
    assert absent.verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize(
    ("plan", "criterion"),
    [
        (ExposurePlan(burnt_attenuation=1.8), "saturation"),
        (ExposurePlan(blur_px=12), "sharpness"),
        (ExposurePlan(dead_columns=(400,), dead_rows=(467,)), "detector_lines"),
    ],
)
def test_one_planted_fault_is_the_only_one_flagged(
    tmp_path: Path, radiograph: Read, plan: ExposurePlan, criterion: str
) -> None:
    assert flagged(judge(radiograph, tmp_path, plan)) == {criterion}


def test_dead_lines_are_marked_where_they_are(tmp_path: Path, radiograph: Read) -> None:
    check = judge(radiograph, tmp_path, ExposurePlan(dead_columns=(400,), dead_rows=(467,)))["detector_lines"]
    assert check.value == 2.0
    places = {(mark.label, mark.points_px[0]) for mark in check.marks}
    assert places == {("defective row", (467.0, 0.0)), ("defective column", (0.0, 400.0))}


@pytest.mark.parametrize("shutter", list(Shutter))
def test_the_collimated_field_is_marked_where_it_is(
    tmp_path: Path, radiograph: Read, shutter: Shutter
) -> None:
    plan = ExposurePlan(collimation_mm=(0.0, 28.0, 42.0, 28.0), shutter=shutter)
    check = judge(radiograph, tmp_path, plan)["collimation"]
    assert check.verdict is Verdict.OK
    assert check.value is not None
    assert check.value < 30.0


def test_wide_open_collimation_is_told_but_not_repeated(tmp_path: Path, radiograph: Read) -> None:
    checks = judge(radiograph, tmp_path)
    assert checks["collimation"].verdict is Verdict.NOT_CHECKED


def test_without_a_model_part_and_orientation_are_not_checked(tmp_path: Path, radiograph: Read) -> None:
    checks = judge(radiograph, tmp_path)
    for name in ("body_part_agrees", "orientation"):
        assert checks[name].verdict is Verdict.NOT_CHECKED
        assert "model" in checks[name].advice


def test_a_turned_picture_is_turned_back_not_repeated(
    tmp_path: Path, radiograph: Read, view_card: ModelCard
) -> None:
    checks = judge(
        radiograph, tmp_path, ExposurePlan(turned_degrees=90), card=view_card, outputs=seen(0, quarter=1)
    )
    assert checks["orientation"].verdict is Verdict.CHECK
    assert "90 degrees" in checks["orientation"].advice
    assert checks["field_of_view"].verdict is Verdict.NOT_CHECKED


def test_a_limb_tagged_as_chest_is_questioned_and_no_lungs_are_claimed(
    tmp_path: Path, radiograph: Read, view_card: ModelCard
) -> None:
    checks = judge(radiograph, tmp_path, card=view_card, outputs=seen(1))
    assert checks["body_part_agrees"].verdict is Verdict.CHECK
    assert checks["field_of_view"].verdict is Verdict.NOT_CHECKED
    unsure = {"logits_part": np.zeros((1, 2), np.float32), "logits_rotation": np.zeros((1, 4), np.float32)}
    checks = judge(radiograph, tmp_path, card=view_card, outputs=unsure)
    assert checks["body_part_agrees"].verdict is Verdict.NOT_CHECKED


def test_an_unnamed_body_part_is_asked_for(tmp_path: Path, radiograph: Read, view_card: ModelCard) -> None:
    unnamed = Identity(body_part="")
    checks = judge(radiograph, tmp_path, identity=unnamed, card=view_card, outputs=seen(0))
    assert checks["body_part_agrees"].verdict is Verdict.CHECK
    assert checks["field_of_view"].verdict is Verdict.OK
    assert judge(radiograph, tmp_path, identity=unnamed)["field_of_view"].verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize("broken", [np.full((1, 2), np.nan, np.float32), np.zeros((1, 3), np.float32)])
def test_a_broken_model_output_is_an_engine_error(
    tmp_path: Path, radiograph: Read, view_card: ModelCard, broken: np.ndarray
) -> None:
    with pytest.raises(EngineError):
        judge(radiograph, tmp_path, card=view_card, outputs={**seen(0), "logits_part": broken})


def test_missing_tags_are_named(tmp_path: Path, radiograph: Read) -> None:
    checks = judge(
        radiograph, tmp_path, identity=Identity(patient_name="", patient_id="", view_position="SUNRISE")
    )
    assert "no patient ID and no name" in checks["identity"].advice
    assert "SUNRISE" in checks["view_tags"].advice
    assert checks["field_of_view"].verdict is Verdict.NOT_CHECKED
    assert flagged(checks) == {"identity", "view_tags"}


def test_the_view_model_gets_a_square_of_its_size(
    tmp_path: Path, radiograph: Read, view_card: ModelCard
) -> None:
    acquisition, image = radiograph(write_chest(tmp_path / "c.dcm", rows=750, columns=625).path)
    inputs = TASK.prepare(acquisition, image, view_card)
    assert inputs["image"].shape == (1, 1, 128, 128)
    assert TASK.prepare(acquisition, image, None) == {}
