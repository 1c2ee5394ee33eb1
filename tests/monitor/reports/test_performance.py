# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.monitor.reports.cases import Case, age_band, cases_of
from appliance.monitor.reports.performance import Performance, Point, performance
from appliance.monitor.reports.truth import read_with_truth
from appliance.store.outcomes import KeyKind, Outcome, Outcomes, Truth
from tests.monitor.reports.conftest import MARCH, PNEUMOTHORAX, Site, found

BASE = Outcome(
    key_kind=KeyKind.STUDY_INSTANCE_UID,
    key_value="1.2",
    code_value=PNEUMOTHORAX.value,
    code_scheme="SCT",
    truth=Truth.POSITIVE,
    observed_on="",
    sent_home=None,
    is_correction=False,
    source="csv",
)


def cases(site: Site) -> tuple[Case, ...]:
    exams, resolved = read_with_truth(site.database, MARCH)
    return cases_of(exams, resolved.truths)


def told(site: Site, study: str, truth: Truth, **change: object) -> None:
    Outcomes(site.database).add([replace(BASE, key_value=study, truth=truth, **change)])  # type: ignore[arg-type]


def whole(lines: tuple[Performance, ...], point: Point = Point.IN_FORCE) -> Performance:
    (line,) = (line for line in lines if line.group == "all" and line.point is point)
    return line


def a_month(site: Site, rows: list[tuple[float, Truth | None]]) -> None:
    for number, (probability, truth) in enumerate(rows):
        exam = site.exam(f"e{number}", found(probability))
        if truth is not None:
            told(site, exam.first.study_instance_uid, truth)


P, N = Truth.POSITIVE, Truth.NEGATIVE


def test_each_cell_is_counted_at_each_operating_point(site: Site) -> None:
    a_month(
        site, [(0.9, P), (0.8, P), (0.5, P), (0.1, P), (0.9, N), (0.4, N), (0.1, N), (0.2, N), (0.05, None)]
    )
    lines = performance(cases(site))
    sensitive, specific = whole(lines, Point.SENSITIVE), whole(lines, Point.SPECIFIC)
    cells = [
        (line.true_positive, line.false_positive, line.false_negative, line.true_negative)
        for line in (sensitive, specific)
    ]
    assert cells == [(3, 2, 1, 2), (2, 1, 2, 3)]
    assert (sensitive.unknown_flagged, sensitive.unknown_not_flagged) == (0, 1)
    assert (sensitive.sensitivity.value, sensitive.specificity.value) == (0.75, 0.5)
    assert (sensitive.ppv.value, sensitive.npv.value) == (0.6, pytest.approx(2 / 3))
    assert sensitive.sensitivity.low == pytest.approx(0.3006, abs=1e-4)
    assert sensitive.warning == ""


def test_where_only_flagged_studies_were_followed_up_sensitivity_is_not_known(site: Site) -> None:
    a_month(site, [(0.9, P), (0.8, N), (0.1, None), (0.2, None)])
    line = whole(performance(cases(site)))
    assert line.ppv.value == 0.5
    assert (line.sensitivity.value, line.specificity.value, line.npv.value) == (None, None, None)
    assert line.warning.startswith("Only flagged studies have an outcome")


def test_where_only_positives_have_a_truth_it_is_warned(site: Site) -> None:
    a_month(site, [(0.9, P), (0.1, P), (0.8, None), (0.2, None)])
    line = whole(performance(cases(site)))
    assert line.sensitivity.value == 0.5
    assert (line.ppv.value, line.specificity.value, line.npv.value) == (None, None, None)
    assert "Only positive outcomes are known" in line.warning


def test_a_lopsided_follow_up_is_said(site: Site) -> None:
    a_month(site, [(0.9, P), (0.8, N), (0.1, N), *[(0.1, None)] * 9])
    line = whole(performance(cases(site)))
    assert "100 % of flagged and 10 % of other studies have an outcome" in line.warning


def test_without_any_outcome_nothing_is_known(site: Site) -> None:
    a_month(site, [(0.9, None), (0.1, None)])
    line = whole(performance(cases(site)))
    assert line.sensitivity.value is line.ppv.value is None
    assert line.warning == "No outcome is known."
    assert (line.unknown_flagged, line.unknown_not_flagged) == (1, 1)


def test_two_images_of_a_study_are_one_case_and_months_are_in_order(site: Site) -> None:
    for number, month in enumerate((3, 3)):
        site.on(5 + number, month=month)
        exam = site.exam(
            f"v{number}", found(0.9 if number else 0.1), study_instance_uid="1.9", view_position=f"V{number}"
        )
    told(site, exam.first.study_instance_uid, P)
    (case,) = cases(site)
    assert (case.probability, case.is_flagged, case.view) == (0.9, True, "several")


def test_as_it_was_answered_and_as_it_is_signed_are_told_apart(site: Site) -> None:
    exam = site.exam("moved", found(0.4, local=0.5))
    told(site, exam.first.study_instance_uid, P)
    lines = performance(cases(site))
    assert whole(lines, Point.IN_FORCE).false_negative == 1
    assert whole(lines, Point.SENSITIVE).true_positive == 1


def test_models_are_never_mixed_and_groups_are_counted(site: Site) -> None:
    site.exam("old", found(0.9), patient={"patient_sex": "M", "patient_id": "1", "age_years": 70})
    site.exam("new", found(0.9), model="chest_triage@2.0")
    lines = performance(cases(site))
    assert {line.model for line in lines} == {"chest_triage@1.0", "chest_triage@2.0"}
    groups = {(line.group, line.value) for line in lines if line.model == "chest_triage@1.0"}
    assert {("sex", "M"), ("age", "65 and over"), ("view", "PA"), ("month", "2026-03")} <= groups


def test_age_bands() -> None:
    assert [age_band(age) for age in (None, 0, 17.9, 18, 39, 64, 65, 120)] == [
        "not said",
        "0-17",
        "0-17",
        "18-39",
        "18-39",
        "40-64",
        "65 and over",
        "65 and over",
    ]


# Which study an outcome is about


def truths(site: Site) -> dict[str, Truth]:
    exams, resolved = read_with_truth(site.database, MARCH)
    names = {exam.first.study_instance_uid: exam.acquisition_id for exam in exams}
    return {names[key[0]]: word.truth for key, word in resolved.truths.items()}


def test_an_accession_number_names_the_study(site: Site) -> None:
    site.exam("a", found(0.9), accession_number="ACC-1")
    told(site, "ACC-1", P, key_kind=KeyKind.ACCESSION_NUMBER)
    told(site, "ACC-2", P, key_kind=KeyKind.ACCESSION_NUMBER)
    assert truths(site) == {"a": P}
    assert read_with_truth(site.database, MARCH)[1].unmatched == 1


def test_a_patient_alone_means_the_last_study_before_the_outcome(site: Site) -> None:
    patient = {"patient_id": "P-1"}
    for day, name in ((2, "first"), (10, "second"), (20, "third")):
        site.on(day)
        site.exam(name, found(0.9), patient=patient)
    by_patient = {"key_kind": KeyKind.PATIENT_ID}
    told(site, "P-1", P, observed_on="2026-03-12", **by_patient)
    assert truths(site) == {"second": P}
    told(site, "P-1", N, observed_on="2026-03-01", **by_patient)
    told(site, "P-1", N, observed_on="2026-06-01", **by_patient)
    assert truths(site) == {"second": P}


def test_an_outcome_of_a_study_after_the_period_is_not_put_to_one_in_it(site: Site) -> None:
    for month, day, name in ((3, 28, "in"), (4, 3, "after")):
        site.on(day, month=month)
        site.exam(name, found(0.9), patient={"patient_id": "P-1"})
    told(site, "P-1", P, observed_on="2026-04-05", key_kind=KeyKind.PATIENT_ID)
    assert truths(site) == {}


def test_outcomes_that_contradict_each_other_are_unknown_until_one_is_corrected(site: Site) -> None:
    study = site.exam("a", found(0.9)).first.study_instance_uid
    told(site, study, P)
    told(site, study, N)
    exams, resolved = read_with_truth(site.database, MARCH)
    assert resolved.conflicts == 1
    assert cases_of(exams, resolved.truths)[0].truth is Truth.UNKNOWN
    told(site, study, N, is_correction=True)
    assert truths(site) == {"a": N}
    told(site, study, Truth.UNKNOWN)
    assert truths(site) == {"a": N}, "an unknown one takes nothing back"
