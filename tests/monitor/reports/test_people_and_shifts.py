# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Acknowledgements, flags per shift, and whom to call back."""

from __future__ import annotations

import time  # noqa: TID251  (a device stands in one time zone)
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

import pytest

from appliance.domain.finding import Code, Decision
from appliance.monitor.reports.alert_budget import Budget, alert_budget, shift_of
from appliance.monitor.reports.disagreements import CallBack, Kind, call_backs, discrepancies_by_week
from appliance.monitor.reports.exams import read_exams
from appliance.monitor.reports.people import acknowledgements, read_people
from appliance.monitor.reports.truth import read_with_truth
from appliance.store.call_backs import CallBacks, CallStatus
from appliance.store.opinions import Act, FirstLook, Opinions, Stance, Subject
from appliance.store.outcomes import Outcomes, Truth
from tests.monitor.reports.conftest import MARCH, PNEUMOTHORAX, Site, found
from tests.monitor.reports.test_performance import BASE

STARTS = ("07:00", "15:00", "23:00")
EFFUSION = Code(value="60046008", scheme="SCT", meaning="Pleural effusion")


@pytest.fixture(autouse=True)
def _in_utc() -> Iterator[None]:
    """Shifts are of the device's own time zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def think(site: Site, exam: str, stance: Stance) -> None:
    subject = Subject(
        acquisition_id=exam,
        version=1,
        task="chest_triage",
        code=PNEUMOTHORAX,
        model="chest_triage@1.0",
        probability=0.9,
        decision=Decision.PRESENT,
        first_look=None,
    )
    Opinions(site.database).give(subject, stance)


def turned_out(site: Site, study: str, truth: Truth, **change: Any) -> None:
    Outcomes(site.database).add([replace(BASE, key_value=study, truth=truth, **change)])


def test_times_from_flag_to_deed(site: Site) -> None:
    opinions = Opinions(site.database)
    for number in range(10):
        name = f"e{number}"
        site.on(2, 8, number)
        site.exam(name, found(0.9))
        if number < 9:
            site.clock.advance(60 * (number + 1))
            opinions.did(name, 1, Act.SEEN)
        if number < 2:
            site.clock.advance(600)
            opinions.did(name, 1, Act.TOLD)
    site.exam("not flagged", found(0.1))
    opinions.did("not flagged", 1, Act.SEEN)
    exams = read_exams(site.database, MARCH)
    lines = {line.deed: line for line in acknowledgements(exams, read_people(site.database, exams))}
    first = lines["acknowledged"]
    assert (first.flagged, first.done, first.p50_s, first.p95_s) == (10, 9, 300.0, 540.0)
    assert (lines["told"].done, lines["told"].p50_s, lines["escalated"].p95_s) == (2, 660.0, None)


def test_a_clock_that_was_set_back_gives_no_time(site: Site) -> None:
    site.on(2, 12)
    site.exam("a", found(0.9))
    site.on(2, 11)
    Opinions(site.database).did("a", 1, Act.SEEN)
    exams = read_exams(site.database, MARCH)
    line = acknowledgements(exams, read_people(site.database, exams))[0]
    assert (line.done, line.p50_s, line.clock_was_set) == (1, None, 1)


@pytest.mark.parametrize(
    ("hour", "minute", "shift"),
    [
        (7, 0, (date(2026, 3, 2), "07:00")),
        (14, 59, (date(2026, 3, 2), "07:00")),
        (23, 30, (date(2026, 3, 2), "23:00")),
        (3, 45, (date(2026, 3, 1), "23:00")),
        (6, 59, (date(2026, 3, 1), "23:00")),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(
    hour: int, minute: int, shift: tuple[date, str]
) -> None:
    assert shift_of(datetime(2026, 3, 2, hour, minute, tzinfo=timezone.utc), STARTS) == shift


def budget_of(site: Site, budget: int) -> Budget:
    exams, resolved = read_with_truth(site.database, MARCH)
    people = read_people(site.database, exams)
    return alert_budget(exams, people, resolved.truths, budget=budget, starts=STARTS)


def a_night(site: Site, probabilities: list[float]) -> list[str]:
    studies = []
    for number, probability in enumerate(probabilities):
        site.on(2, 23, number)
        exam = site.exam(f"n{number}", found(probability), found(0.05, code=EFFUSION))
        studies.append(exam.first.study_instance_uid)
    return studies


def test_flags_of_a_shift_with_what_became_of_them(site: Site) -> None:
    studies = a_night(site, [0.9, 0.8, 0.5, 0.4, 0.1])
    turned_out(site, studies[0], Truth.POSITIVE)
    turned_out(site, studies[1], Truth.NEGATIVE)
    turned_out(site, studies[4], Truth.POSITIVE)  # missed: no flag to be confirmed
    think(site, "n2", Stance.AGREE)
    think(site, "n3", Stance.DISAGREE)
    found_budget = budget_of(site, 4)
    (shift,) = found_budget.shifts
    assert (shift.day, shift.begins, shift.studies, shift.flags) == (date(2026, 3, 2), "23:00", 5, 4)
    assert (shift.confirmed, shift.refuted, shift.agreed, shift.disagreed) == (1, 1, 1, 1)
    assert (found_budget.ppv.hits, found_budget.ppv.n) == (1, 2)
    assert not shift.is_over
    assert found_budget.advice == "Within the budget of 4 in all 1 shifts; the mean is 4.0."


def test_two_images_of_a_study_are_one_flag(site: Site) -> None:
    for name in ("a", "b"):
        site.exam(name, found(0.9), study_instance_uid="1.5")
    assert budget_of(site, 1).shifts[0].flags == 1


def test_over_budget_the_advice_stays_within_the_signed_range(site: Site) -> None:
    studies = a_night(site, [0.9, 0.8, 0.5, 0.4, 0.35])
    turned_out(site, studies[0], Truth.POSITIVE)
    turned_out(site, studies[3], Truth.POSITIVE)
    over = budget_of(site, 4)
    assert over.shifts[0].is_over
    assert "Pneumothorax flagged from 0.38 instead of 0.3 would make it 4.0, and lose 0 of 2" in over.advice
    assert "between 0.3 and 0.7" in over.advice
    assert "scanside threshold set chest_triage 36118008 0.38" in over.advice
    assert {option.signed_range for option in over.options} == {(0.3, 0.7)}
    assert all(0.3 <= option.point <= 0.7 for option in over.options)
    stricter = budget_of(site, 3)
    assert "lose 1 of 2 flagged studies known to be positive" in stricter.advice
    assert "No single operating point within its signed range" in budget_of(site, 1).advice


def test_what_nobody_knows_the_cost_of_is_not_called_cheap(site: Site) -> None:
    a_night(site, [0.9, 0.8, 0.5, 0.4, 0.35])
    assert "lose nobody knows how many" in budget_of(site, 4).advice


# Whom to call back


def listed(site: Site) -> tuple[CallBack, ...]:
    exams, resolved = read_with_truth(site.database, MARCH)
    people = read_people(site.database, exams)
    return call_backs(exams, people, resolved.truths, CallBacks(site.database).newest())


@pytest.mark.parametrize(
    ("probability", "stance", "look", "truth", "kind"),
    [
        (0.1, None, FirstLook.NOTHING, Truth.POSITIVE, Kind.MISSED_BY_BOTH),
        (0.1, None, None, Truth.POSITIVE, Kind.MISSED_BY_AI),
        (0.9, Stance.DISAGREE, None, Truth.POSITIVE, Kind.MISSED_BY_PERSON),
        (0.9, None, FirstLook.NOTHING, Truth.POSITIVE, Kind.MISSED_BY_PERSON),
        (0.9, Stance.AGREE, FirstLook.NOTHING, Truth.POSITIVE, None),
        (0.9, None, None, Truth.POSITIVE, None),
        (0.9, Stance.AGREE, None, Truth.NEGATIVE, Kind.CALLED_FALSELY),
        (0.9, Stance.DISAGREE, None, Truth.NEGATIVE, None),
        (0.9, None, None, Truth.NEGATIVE, None),
        (0.9, Stance.DISAGREE, None, Truth.UNKNOWN, Kind.UNRESOLVED),
        (0.9, Stance.UNSURE, None, Truth.UNKNOWN, None),
        (0.9, Stance.UNSURE, FirstLook.NOTHING, Truth.UNKNOWN, None),
        (0.9, Stance.AGREE, None, Truth.UNKNOWN, None),
        (0.1, None, FirstLook.SOMETHING, Truth.UNKNOWN, Kind.UNRESOLVED),
        (0.1, None, FirstLook.NOTHING, Truth.UNKNOWN, None),
    ],
)
def test_who_disagrees_with_whom(
    probability: float,
    stance: Stance | None,
    look: FirstLook | None,
    truth: Truth,
    kind: Kind | None,
    site: Site,
) -> None:
    study = site.exam("a", found(probability)).first.study_instance_uid
    if look is not None:
        Opinions(site.database).did("a", 1, Act.FIRST_LOOK, first_look=look)
    if stance is not None:
        think(site, "a", stance)
    turned_out(site, study, truth)
    assert [one.kind for one in listed(site)] == ([] if kind is None else [kind])


def test_a_false_alarm_that_was_told_on_is_called_back(site: Site) -> None:
    study = site.exam("a", found(0.9)).first.study_instance_uid
    Opinions(site.database).did("a", 1, Act.TOLD)
    turned_out(site, study, Truth.NEGATIVE)
    assert [one.kind for one in listed(site)] == [Kind.CALLED_FALSELY]


def test_who_was_sent_home_is_first_and_a_call_is_kept_with_name_and_time(site: Site) -> None:
    for name, home in (("stays", False), ("home", True), ("not said", None)):
        study = site.exam(name, found(0.1)).first.study_instance_uid
        turned_out(site, study, Truth.POSITIVE, sent_home=home)
    before = listed(site)
    assert before[0].sent_home is True
    assert {one.status for one in before} == {CallStatus.OPEN}
    ledger = CallBacks(site.database)
    for status in (CallStatus.CALLED, CallStatus.CLOSED):
        ledger.write_down(before[0].key, kind=before[0].kind.value, status=status, by_name="B", note="comes")
    after = listed(site)
    assert after[-1].reference == before[0].reference
    assert after[-1].status is CallStatus.CLOSED
    assert after[-1].call is not None
    assert (after[-1].call.by_name, after[-1].call.note) == ("B", "comes")
    assert len(site.database.read("SELECT 1 FROM call_back")) == 2


def test_a_closed_one_opens_again_when_the_outcome_says_something_new(site: Site) -> None:
    study = site.exam("a", found(0.9)).first.study_instance_uid
    think(site, "a", Stance.DISAGREE)
    (one,) = listed(site)
    CallBacks(site.database).write_down(
        one.key, kind=one.kind.value, status=CallStatus.CLOSED, by_name="B", note=""
    )
    assert listed(site)[0].status is CallStatus.CLOSED
    turned_out(site, study, Truth.POSITIVE)
    (again,) = listed(site)
    assert (again.kind, again.status) == (Kind.MISSED_BY_PERSON, CallStatus.OPEN)


def test_discrepancies_are_a_share_of_what_is_known(site: Site) -> None:
    for day, name, probability in ((2, "a", 0.1), (3, "b", 0.9), (4, "c", 0.9), (10, "d", 0.9)):
        site.on(day)
        study = site.exam(name, found(probability)).first.study_instance_uid
        if name != "c":
            turned_out(site, study, Truth.POSITIVE)
    exams, resolved = read_with_truth(site.database, MARCH)
    weeks = discrepancies_by_week(exams, read_people(site.database, exams), resolved.truths)
    assert [(week.name, week.rate.hits, week.rate.n) for week in weeks] == [
        ("2026-W10", 1, 2),
        ("2026-W11", 0, 1),
    ]
