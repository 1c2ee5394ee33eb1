# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Nouns survive the way through JSON; what does not fit is refused, not repaired."""

from __future__ import annotations

import pytest

from appliance.domain.acquisition import Completeness, Kind, SliceRef, Urgency
from appliance.domain.finding import Code, Decision, Finding, decide
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict, worst
from appliance.domain.record import from_json, to_json
from appliance.domain.result import LaneResult, StageTiming


def check(verdict: Verdict) -> QualityCheck:
    mark = Mark(label="base", shape=MarkShape.BOX, points_px=((1.5, 2.0), (3.0, 4.0)))
    return QualityCheck(
        criterion="field_of_view",
        verdict=verdict,
        value=12.0,
        unit="mm",
        limit=0.0,
        advice="Lower the detector.",
        marks=(mark,),
    )


RESULT = LaneResult(
    acquisition_id="a",
    version=2,
    lane=Lane.TRIAGE,
    quality=(check(Verdict.REPEAT),),
    findings=(
        Finding(
            task="chest_triage",
            code=Code(value="36118008", scheme="SCT", meaning="Pneumothorax"),
            probability=0.25,
            sensitive_threshold=0.2,
            specific_threshold=0.6,
            decision=Decision.INDETERMINATE,
        ),
    ),
    timings=(StageTiming(stage="decoded", duration_ms=41.25),),
)


def test_a_result_comes_back_as_it_was() -> None:
    assert from_json(LaneResult, to_json(RESULT)) == RESULT


@pytest.mark.parametrize(
    "damage",
    [
        ('"version":2', '"version":"two"'),
        ('"lane":"triage"', '"lane":"fourth"'),
        ('"probability":0.25', '"probability":null'),
        ('"quality":[', '"unknown":1,"quality":['),
        ('"acquisition_id":"a",', ""),
    ],
)
def test_a_damaged_result_is_refused(damage: tuple[str, str]) -> None:
    text = to_json(RESULT)
    assert damage[0] in text
    with pytest.raises(ValueError, match="LaneResult"):
        from_json(LaneResult, text.replace(*damage, 1))


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ((), Verdict.NOT_CHECKED),
        ((Verdict.NOT_CHECKED,), Verdict.NOT_CHECKED),
        ((Verdict.OK, Verdict.NOT_CHECKED), Verdict.OK),
        ((Verdict.OK, Verdict.CHECK), Verdict.CHECK),
        ((Verdict.CHECK, Verdict.REPEAT, Verdict.OK), Verdict.REPEAT),
    ],
)
def test_the_worst_verdict_speaks_for_the_whole(verdicts: tuple[Verdict, ...], whole: Verdict) -> None:
    assert worst(tuple(check(verdict) for verdict in verdicts)) is whole


@pytest.mark.parametrize(
    ("probability", "decision"),
    [
        (0.0, Decision.ABSENT),
        (0.1999, Decision.ABSENT),
        (0.2, Decision.INDETERMINATE),
        (0.5999, Decision.INDETERMINATE),
        (0.6, Decision.PRESENT),
        (1.0, Decision.PRESENT),
    ],
)
def test_the_two_operating_points_include_their_value(probability: float, decision: Decision) -> None:
    assert decide(probability, sensitive=0.2, specific=0.6) is decision


def test_small_nouns_are_values() -> None:
    assert SliceRef(instance=0, frame=1, position_mm=None) == SliceRef(instance=0, frame=1, position_mm=None)
    assert Urgency.STAT < Urgency.LIVE < Urgency.BACKFILL
    assert Kind("volume") is Kind.VOLUME
    assert Completeness("CONFLICT") is Completeness.CONFLICT
