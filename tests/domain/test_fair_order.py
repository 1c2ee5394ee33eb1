# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.domain.fair_order import (
    FIRST_COME_S,
    NO_CEILING_S,
    Waiting,
    fair_order,
    harm_rate_of,
    is_alarm,
    is_overdue,
)
from appliance.domain.finding import Code, Decision, Finding

MINUTE_S = 60.0
CEILING_S = 45 * MINUTE_S


def waiting(sequence: int, waited_min: float, harm_rate: float | None = 0.0, **more: bool | int) -> Waiting:
    return Waiting(
        sequence=sequence,
        waited_s=waited_min * MINUTE_S,
        harm_rate=harm_rate,
        goes_first=bool(more.get("goes_first", False)),
        is_unread=bool(more.get("is_unread", True)),
        band=int(more.get("band", 0)),
    )


def finding(probability: float, decision: Decision, *, code: str = "125605004") -> Finding:
    return Finding(
        task="t",
        code=Code(value=code, scheme="SCT", meaning="x"),
        probability=probability,
        sensitive_threshold=0.2,
        specific_threshold=0.6,
        decision=decision,
    )


def test_flagged_before_unknown_before_unflagged_and_ties_by_arrival() -> None:
    exams = [waiting(1, 30), waiting(2, 20), waiting(3, 10, None), waiting(4, 5, 0.3), waiting(5, 1, 2.0)]
    assert fair_order(exams, ceiling_s=CEILING_S) == (5, 4, 3, 1, 2)


def test_at_the_ceiling_the_ai_counts_no_more() -> None:
    exams = [waiting(1, 45), waiting(2, 44.9), waiting(3, 46), waiting(4, 2, 9.0)]
    assert fair_order(exams, ceiling_s=CEILING_S) == (3, 1, 4, 2)
    assert fair_order(exams, ceiling_s=NO_CEILING_S) == (4, 3, 1, 2)


def test_who_goes_first_does_even_before_the_overdue() -> None:
    exams = [waiting(1, 500), waiting(2, 0, None, goes_first=True), waiting(3, 1, 5.0)]
    assert fair_order(exams, ceiling_s=CEILING_S) == (2, 1, 3)
    assert fair_order(exams, ceiling_s=FIRST_COME_S) == (2, 1, 3)


def test_what_was_read_never_becomes_overdue() -> None:
    exams = [waiting(1, 500, is_unread=False), waiting(2, 1, 0.5)]
    assert fair_order(exams, ceiling_s=CEILING_S) == (2, 1)


def test_a_band_is_never_contradicted_by_a_rate() -> None:
    exams = [waiting(1, 1, 9.0, band=4), waiting(2, 1, 0.1, band=2)]
    assert fair_order(exams, ceiling_s=CEILING_S) == (2, 1)


def test_one_from_before_the_last_start_is_overdue_where_there_is_a_ceiling() -> None:
    old = replace(waiting(1, 0), waited_s=math.inf)
    assert is_overdue(old, ceiling_s=CEILING_S)
    assert not is_overdue(old, ceiling_s=NO_CEILING_S)


def test_harm_is_what_is_flagged_by_its_probability() -> None:
    assert harm_rate_of(()) is None, "no answer is not the same as nothing flagged"
    assert harm_rate_of((finding(0.19, Decision.ABSENT),)) == 0.0
    flagged = finding(0.5, Decision.INDETERMINATE)
    assert harm_rate_of((flagged, finding(0.1, Decision.ABSENT))) == pytest.approx(0.5)
    pneumothorax = finding(0.5, Decision.INDETERMINATE, code="36118008")
    assert harm_rate_of((flagged, pneumothorax)) == pytest.approx(5.5)
    assert not is_alarm(pneumothorax)
    assert is_alarm(replace(pneumothorax, decision=Decision.PRESENT))
    assert not is_alarm(replace(flagged, decision=Decision.PRESENT))


@dataclass(frozen=True, kw_only=True)
class Served:
    """What came of one exam in a department that follows the order to the letter."""

    arrived_s: float
    begun_s: float
    goes_first: bool

    @property
    def waited_s(self) -> float:
        return self.begun_s - self.arrived_s


@dataclass(frozen=True, kw_only=True)
class Coming:
    arrived_s: float
    harm_rate: float | None
    goes_first: bool
    reading_s: float


def serve(exams: list[Coming], *, readers: int, ceiling_s: float) -> list[Served]:
    """Readers who are never away, each taking whoever `fair_order` names when they are free."""
    free_s = [0.0] * readers
    begun: dict[int, float] = {}
    while len(begun) < len(exams):
        reader = min(range(readers), key=lambda each: free_s[each])
        left = [number for number in range(len(exams)) if number not in begun]
        now_s = max(free_s[reader], min(exams[number].arrived_s for number in left))
        queue = [
            Waiting(
                sequence=number,
                waited_s=now_s - exams[number].arrived_s,
                harm_rate=exams[number].harm_rate,
                goes_first=exams[number].goes_first,
            )
            for number in left
            if exams[number].arrived_s <= now_s
        ]
        chosen = fair_order(queue, ceiling_s=ceiling_s)[0]
        begun[chosen] = now_s
        free_s[reader] = now_s + exams[chosen].reading_s
    return [
        Served(arrived_s=exam.arrived_s, begun_s=begun[number], goes_first=exam.goes_first)
        for number, exam in enumerate(exams)
    ]


rates = st.one_of(st.none(), st.just(0.0), st.floats(0.01, 20.0))


def coming(reading_s: st.SearchStrategy[float], first: st.SearchStrategy[bool]) -> st.SearchStrategy[Coming]:
    # Whole seconds: differences of such floats are exact, so that "at the ceiling" has one meaning.
    arrived_s = st.integers(0, 600).map(float)
    return st.builds(Coming, arrived_s=arrived_s, harm_rate=rates, goes_first=first, reading_s=reading_s)


# Trace: REQ-033
@settings(max_examples=300, deadline=None)
@given(
    exams=st.lists(coming(st.integers(1, 120).map(float), st.booleans()), min_size=1, max_size=25),
    readers=st.integers(1, 4),
    ceiling_s=st.integers(0, 400).map(float),
)
def test_past_the_ceiling_nobody_who_came_later_is_begun_sooner(
    exams: list[Coming], readers: int, ceiling_s: float
) -> None:
    exams.sort(key=lambda exam: exam.arrived_s)
    served = serve(exams, readers=readers, ceiling_s=ceiling_s)
    for exam in served:
        passed = [
            other
            for other in served
            if other.arrived_s > exam.arrived_s
            and exam.arrived_s + ceiling_s <= other.begun_s < exam.begun_s
            and not other.goes_first
            and not exam.goes_first
        ]
        assert not passed, f"{exam} was passed past the ceiling by {passed}"


@settings(max_examples=300, deadline=None)
@given(
    exams=st.lists(coming(st.just(60.0), st.just(False)), min_size=1, max_size=25),
    readers=st.integers(1, 4),
    ceiling_s=st.integers(0, 400).map(float),
)
def test_nobody_waits_longer_than_first_come_the_ceiling_and_one_reading(
    exams: list[Coming], readers: int, ceiling_s: float
) -> None:
    exams.sort(key=lambda exam: exam.arrived_s)
    fair = serve(exams, readers=readers, ceiling_s=ceiling_s)
    first_come = serve(exams, readers=readers, ceiling_s=FIRST_COME_S)
    for one, other in zip(fair, first_come, strict=True):
        assert one.waited_s <= other.waited_s + ceiling_s + 60.0


@given(
    exams=st.lists(
        st.builds(
            Waiting,
            sequence=st.integers(),
            waited_s=st.floats(0, 1e5),
            harm_rate=rates,
            goes_first=st.booleans(),
            is_unread=st.booleans(),
            band=st.integers(0, 3),
        ),
        unique_by=lambda exam: exam.sequence,
        max_size=12,
    ),
    random=st.randoms(use_true_random=False),
)
def test_the_order_does_not_depend_on_how_they_came(exams: list[Waiting], random: object) -> None:
    shuffled = list(exams)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fair_order(shuffled, ceiling_s=CEILING_S) == fair_order(exams, ceiling_s=CEILING_S)
    assert len(set(fair_order(exams, ceiling_s=CEILING_S))) == len(exams)
