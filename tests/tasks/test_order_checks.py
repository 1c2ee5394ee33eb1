# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An image against its order: what is said, what is not, and that no name gets into a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import pytest

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.expected import (
    EarlierView,
    Expectation,
    ExpectedStep,
    ListState,
    same_person_name,
    step_of,
)
from appliance.domain.quality import Verdict
from appliance.tasks.order_checks import order_checks

PATIENT = {
    "patient_id": "P1",
    "patient_name": "MWANGI^Grace",
    "patient_birth_date": "19800102",
    "patient_sex": "F",
}
WRIST = {"body_part": "WRIST", "laterality": "R", "view_position": "PA", "patient": PATIENT}


def step(**known: Any) -> ExpectedStep:
    unknown: dict[str, Any] = {field.name: None for field in fields(ExpectedStep)}
    order = {
        "modality": "DX",
        "body_part": "WRIST",
        "laterality": "R",
        "views": ("PA", "LAT"),
        "view_count": 2,
    }
    return ExpectedStep(
        **{**unknown, "views_sure": True, "accession_number": "A1", **PATIENT, **order, **known}
    )


def current(found: ExpectedStep | None = None, **known: Any) -> Expectation:
    return Expectation(**{"state": ListState.CURRENT, "age_min": 1.0, "step": found, **known})


@pytest.fixture
def wrist(make_acquisition: Callable[..., Acquisition]) -> Callable[..., Acquisition]:
    return lambda **change: make_acquisition(**{**WRIST, **change})


def verdicts(acquisition: Acquisition, expected: Expectation) -> dict[str, Verdict]:
    return {check.criterion: check.verdict for check in order_checks(acquisition, expected)}


def test_what_was_ordered_is_ok(wrist: Callable[..., Acquisition]) -> None:
    assert verdicts(wrist(), current(step())) == {
        "expected_patient": Verdict.OK,
        "expected_part": Verdict.OK,
        "expected_side": Verdict.OK,
        "expected_view": Verdict.OK,
    }


@pytest.mark.parametrize(
    ("change", "criterion", "words"),
    [
        ({"laterality": "L"}, "expected_side", "Ordered: right; the header says: left"),
        ({"body_part": "ANKLE"}, "expected_part", "Ordered: wrist; the header says: ankle"),
        ({"view_position": "OBL"}, "expected_view", "not among them"),
        ({"patient": {**PATIENT, "patient_name": "OTIENO^Paul"}}, "expected_patient", "on the order: name"),
        ({"patient": {**PATIENT, "patient_birth_date": "19800103"}}, "expected_patient", "birth date"),
        ({"patient": {**PATIENT, "patient_id": "P2"}}, "expected_patient", "patient ID"),
        ({"patient": {**PATIENT, "patient_sex": "M"}}, "expected_patient", "sex"),
    ],
)
def test_each_disagreement_is_said_and_only_that(
    wrist: Callable[..., Acquisition], change: dict[str, Any], criterion: str, words: str
) -> None:
    checks = order_checks(wrist(**change), current(step()))
    wrong = [check for check in checks if check.verdict is not Verdict.OK]
    assert [(check.criterion, check.verdict) for check in wrong] == [(criterion, Verdict.CHECK)]
    assert words in wrong[0].advice
    said = " ".join(check.advice for check in checks).casefold()
    assert not any(secret in said for secret in ("mwangi", "otieno", "grace", "p1", "p2", "1980", "a1"))


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Expectation(), "No worklist is set up"),
        (Expectation(state=ListState.UNHEARD), "has not answered since the start"),
        (Expectation(state=ListState.OLD, age_min=90.0), "too old"),
        (current(covers=False), "was not asked about"),
        (current(whole=False), "longer than what is read"),
    ],
)
def test_without_a_list_to_compare_with_nothing_is_ok_and_it_is_said_once(
    wrist: Callable[..., Acquisition], expected: Expectation, words: str
) -> None:
    (check,) = order_checks(wrist(), expected)
    assert (check.criterion, check.verdict) == ("expected_patient", Verdict.NOT_CHECKED)
    assert words in check.advice


def test_nobody_of_that_id_is_expected(wrist: Callable[..., Acquisition]) -> None:
    (check,) = order_checks(wrist(), current())
    assert (check.verdict, "Nobody with this patient ID" in check.advice) == (Verdict.CHECK, True)
    (check,) = order_checks(wrist(), current(patient_is_listed=True))
    assert (check.verdict, "another examination" in check.advice) == (Verdict.CHECK, True)
    (check,) = order_checks(wrist(patient={}), current())
    assert check.verdict is Verdict.NOT_CHECKED, "no ID: the check of identity says that"


def test_an_old_list_still_knows_its_own_orders(wrist: Callable[..., Acquisition]) -> None:
    old = Expectation(state=ListState.OLD, age_min=90.0, step=step())
    assert verdicts(wrist(laterality="L"), old)["expected_side"] is Verdict.CHECK


def test_what_neither_order_nor_header_says_is_not_checked(wrist: Callable[..., Acquisition]) -> None:
    assert verdicts(wrist(laterality=None), current(step()))["expected_side"] is Verdict.NOT_CHECKED
    assert verdicts(wrist(body_part="ODD"), current(step()))["expected_part"] is Verdict.NOT_CHECKED
    nameless = step(body_part=None, laterality=None, views=(), view_count=None)
    assert verdicts(wrist(), current(nameless)) == {
        "expected_patient": Verdict.OK,
        "expected_part": Verdict.NOT_CHECKED,
    }


def test_a_guess_of_the_table_warns_of_no_view(wrist: Callable[..., Acquisition]) -> None:
    assert "expected_view" not in verdicts(wrist(view_position="OBL"), current(step(views_sure=False)))


def test_the_same_view_twice_is_said(wrist: Callable[..., Acquisition]) -> None:
    twin = EarlierView(view_position="PA", body_part="WRIST", laterality="R")
    assert verdicts(wrist(), current(step(), earlier=(twin,)))["expected_view"] is Verdict.CHECK
    for other in (replace(twin, view_position="LAT"), replace(twin, laterality="L")):
        assert verdicts(wrist(), current(step(), earlier=(other,)))["expected_view"] is Verdict.OK


def test_a_series_has_a_patient_and_a_part(make_acquisition: Callable[..., Acquisition]) -> None:
    ct = make_acquisition(Kind.VOLUME, count=3, modality="CT", body_part="CHEST", patient=PATIENT)
    order = step(modality="CT", body_part="CHEST", laterality=None, views=(), view_count=None)
    assert verdicts(ct, current(order)) == {"expected_patient": Verdict.OK, "expected_part": Verdict.OK}


def test_which_order_an_image_belongs_to(wrist: Callable[..., Acquisition]) -> None:
    first = wrist(accession_number="A1", study_instance_uid="1.1", acquired_at="20260302080000").first
    mine = step(study_instance_uid="1.1", accession_number="A9", patient_id="P9")
    by_number = step(study_instance_uid="1.5", patient_id="P9")
    early = step(accession_number=None, scheduled_at=datetime(2026, 3, 1, 20, 0))  # noqa: DTZ001
    stale = step(accession_number=None, scheduled_at=datetime(2026, 3, 1, 8, 0))  # noqa: DTZ001
    ct = step(accession_number=None, modality="CT")
    assert step_of(first, (by_number, early, mine)) is mine
    assert step_of(first, (early, by_number)) is by_number
    assert step_of(first, (stale, ct, early)) is early
    assert step_of(first, (stale, ct)) is None
    left = replace(early, laterality="L")
    assert step_of(first, (left, early)) is early, "two orders of one patient: the one that it looks like"
    assert step_of(first, (step(accession_number=None, modality="CR"),)) is not None, "CR and DX are one"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("MWANGI^Grace", "Mwangi^Grace^Anne", True),
        ("Åkesson^Åsa", "AKESSON^ASA", True),
        ("DUPONT^JEAN-PIERRE", "DUPONT^JEAN PIERRE", True),
        ("MWANGI Grace", "MWANGI^Grace", True),
        ("MWANGI^Grace", "MWANGI^George", False),
        ("MWANGI^Grace", "OTIENO^Grace", False),
        ("MWANGI^Grace", None, None),
        ("=王^小東", "MWANGI^Grace", None),
    ],
)
def test_names_that_may_be_the_same_person(one: str, other: str | None, same: bool | None) -> None:
    assert same_person_name(one, other) is same
