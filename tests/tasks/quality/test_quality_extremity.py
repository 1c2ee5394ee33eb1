# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Radiographs of limbs with faults of known size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.domain.acquisition import Acquisition
from appliance.domain.image import PixelImage
from appliance.domain.quality import QualityCheck, Verdict
from appliance.selftest.phantom_exposure import ExposurePlan
from appliance.selftest.phantom_radiograph import Identity, write_limb
from appliance.tasks.quality_extremity import TASK

Read = Callable[[Path], tuple[Acquisition, PixelImage]]


def judge(
    read: Read,
    folder: Path,
    plan: ExposurePlan | None = None,
    *,
    part: str = "HAND",
    claimed: str | None = None,
) -> dict[str, QualityCheck]:
    identity = Identity(body_part=claimed, image_laterality="R")
    written = write_limb(folder / "limb.dcm", plan, body_part=part, identity=identity, rows=1000, columns=834)
    acquisition, image = read(written.path)
    assert TASK.accepts(acquisition, None) is None
    return {check.criterion: check for check in TASK.interpret(acquisition, image, {}, None).quality}


def flagged(checks: dict[str, QualityCheck]) -> set[str]:
    return {name for name, check in checks.items() if check.verdict in (Verdict.CHECK, Verdict.REPEAT)}


@pytest.mark.parametrize(
    ("part", "plan"),
    [
        ("HAND", ExposurePlan()),
        ("FOREARM", ExposurePlan()),
        ("FOREARM", ExposurePlan(collimation_mm=(0.0, 90.0, 0.0, 90.0), marker=None)),
    ],
)
def test_a_good_limb_is_not_flagged(tmp_path: Path, radiograph: Read, part: str, plan: ExposurePlan) -> None:
    checks = judge(radiograph, tmp_path, plan, part=part)
    assert flagged(checks) == set()
    assert checks["field_of_view"].verdict is Verdict.OK


def test_cut_off_fingertips_are_seen_on_their_side(tmp_path: Path, radiograph: Read) -> None:
    check = judge(radiograph, tmp_path, ExposurePlan(shift_mm=(-50.0, 0.0)))["field_of_view"]
    assert check.verdict is Verdict.CHECK
    assert "upper side" in check.advice
    (mark,) = check.marks
    assert all(row < 20 for row, _ in mark.points_px)


def test_the_same_contact_is_allowed_in_the_middle_of_a_limb(tmp_path: Path, radiograph: Read) -> None:
    plan = ExposurePlan(shift_mm=(-50.0, 0.0))
    assert judge(radiograph, tmp_path, plan, claimed="WRIST")["field_of_view"].verdict is Verdict.OK


def test_coverage_is_not_judged_beside_the_trunk_or_of_an_unnamed_part(
    tmp_path: Path, radiograph: Read
) -> None:
    for claimed in ("SHOULDER", "EXTREMITY"):
        checks = judge(radiograph, tmp_path, claimed=claimed)
        assert checks["field_of_view"].verdict is Verdict.NOT_CHECKED


def test_the_side_must_be_given(tmp_path: Path, radiograph: Read) -> None:
    written = write_limb(tmp_path / "h.dcm", identity=Identity(), rows=1000, columns=834)
    acquisition, image = radiograph(written.path)
    checks = {check.criterion: check for check in TASK.interpret(acquisition, image, {}, None).quality}
    assert checks["view_tags"].verdict is Verdict.CHECK
    assert "which side" in checks["view_tags"].advice


def test_a_blank_exposure_and_a_dead_line_are_seen(tmp_path: Path, radiograph: Read) -> None:
    assert "blank_exposure" in flagged(judge(radiograph, tmp_path, ExposurePlan(blank=True)))
    assert flagged(judge(radiograph, tmp_path, ExposurePlan(dead_columns=(427,)))) == {"detector_lines"}


def test_excess_field_is_told(tmp_path: Path, radiograph: Read) -> None:
    plan = ExposurePlan(collimation_mm=(0.0, 0.0, 0.0, 20.0), marker=None)
    check = judge(radiograph, tmp_path, plan, part="FOREARM")["collimation"]
    assert check.verdict is Verdict.CHECK
    assert "Do not repeat" in check.advice
