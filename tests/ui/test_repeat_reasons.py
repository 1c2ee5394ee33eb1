# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.domain.quality import Verdict
from appliance.store.decisions import Choice, Decisions
from ui.findings_state import findings_of
from ui.repeat_reasons import repeat_cost, repeat_reasons
from ui.verdict_state import verdict_of


def verdict(clinic: Any) -> Any:
    exam = clinic.read().exams[0]
    return verdict_of(exam, findings_of(exam, ai_down=None), checker_down=None, now_ns=0)


@pytest.mark.parametrize(
    ("criterion", "first"),
    [
        ("rotation", "Positioning"),
        ("field_of_view", "Anatomy cut off"),
        ("motion", "Patient moved"),
        ("exposure", "Exposure"),
        ("detector_lines", "Artefact or object"),
        ("something_new", "Positioning"),
    ],
)
def test_the_reason_of_the_checks_own_doubt_comes_first(
    clinic: Any, make: Any, criterion: str, first: str
) -> None:
    clinic.answer(
        clinic.land("a"),
        quality=clinic.quality(
            make.check("noise", Verdict.OK), make.check(criterion, Verdict.CHECK, "Look.")
        ),
    )
    reasons = repeat_reasons(verdict(clinic))
    assert reasons[0].kept == first
    assert len(reasons) == len(set(reasons)) == 6
    assert reasons[-1].kept == "Other reason"


def test_repeats_of_the_same_view_of_the_same_patient_are_counted(clinic: Any, make: Any) -> None:
    ledger = Decisions(clinic.database)
    exposure = replace(clinic.instance("x").exposure, exposure_index=412.0, deviation_index=0.3)
    for exam_id, change in {
        "first": {},
        "second": {},
        "lateral": {"view_position": "LAT"},
        "other": {"patient": make.patient("X", patient_id="9")},
        "nobody": {"patient": make.patient("X", patient_id=None)},
    }.items():
        clinic.land(exam_id, exposure=exposure, **change)
        ledger.decide(exam_id, 1, Choice.REPEAT, reason=None)
    clinic.land("now")
    cost = {exam.entry.acquisition_id: repeat_cost(exam) for exam in clinic.read().exams}
    assert cost["now"] == "Repeats today for this patient: 2"
    assert cost["lateral"] == "Repeats today for this patient: 1 · EI 412 · DI +0.3"
    assert cost["nobody"] == "EI 412 · DI +0.3"  # without an ID nobody can say
    ledger.decide("first", 1, Choice.WITHDRAWN, reason=None)
    now = next(exam for exam in clinic.read().exams if exam.entry.acquisition_id == "now")
    assert repeat_cost(now) == "Repeats today for this patient: 1"


def test_yesterdays_repeats_do_not_count(clinic: Any) -> None:
    clinic.land("a")
    Decisions(clinic.database).decide("a", 1, Choice.REPEAT, reason=None)
    clinic.clock.advance(24 * 3600)
    clinic.land("b")
    assert repeat_cost(clinic.read().exams[0]) == "Repeats today for this patient: 0"
