# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.domain.fair_order import FIRST_COME_S, NO_CEILING_S, Waiting, fair_order
from appliance.simulation.arrivals import Arrivals
from appliance.simulation.queueing import Order, waits_s
from appliance.simulation.readers import Readers

HOUR_S = 3600.0


def exams(
    arrived_s: list[float],
    harm_rate: list[float] | None = None,
    stat: list[bool] | None = None,
    alarm: list[bool] | None = None,
) -> Arrivals:
    count = len(arrived_s)
    return Arrivals(
        arrived_s=np.array(arrived_s, dtype=np.float64),
        is_stat=np.array(stat or [False] * count, dtype=np.bool_),
        is_alarm=np.array(alarm or [False] * count, dtype=np.bool_),
        harm_rate=np.array(harm_rate or [0.0] * count, dtype=np.float64),
        present=np.zeros((count, 0), dtype=np.bool_),
        findings=(),
        looked_for=(),
    )


def by_hand(arrivals: Arrivals, order: Order, readers: Readers, reading_s: list[float]) -> list[float]:
    """The same, with `fair_order` itself asked each time that somebody is free."""
    waited_s = [math.nan] * len(arrivals)
    free_s = [0.0] * max(readers.by_hour)
    left = set(range(len(arrivals)))
    while left:
        ready = [readers.next_at_work_s(reader, max(at, 0.0)) for reader, at in enumerate(free_s)]
        reader = min(range(len(ready)), key=lambda each: (ready[each], each))
        now_s = ready[reader]
        queue = [
            Waiting(
                sequence=exam,
                waited_s=now_s - float(arrivals.arrived_s[exam]),
                harm_rate=None if math.isnan(arrivals.harm_rate[exam]) else float(arrivals.harm_rate[exam]),
                goes_first=bool(
                    arrivals.is_stat[exam] or (arrivals.is_alarm[exam] and order.ceiling_s > FIRST_COME_S)
                ),
            )
            for exam in left
            if arrivals.arrived_s[exam] <= now_s
        ]
        if not queue:
            free_s[reader] = min(float(arrivals.arrived_s[exam]) for exam in left)
            continue
        exam = fair_order(queue, ceiling_s=order.ceiling_s)[0]
        left.discard(exam)
        waited_s[exam] = now_s - float(arrivals.arrived_s[exam])
        free_s[reader] = now_s + reading_s[exam]
    return waited_s


one_exam = st.tuples(
    st.integers(0, 8 * 3600).map(float),
    st.sampled_from([0.0, 0.2, 0.2, 3.0, math.nan]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 5400).map(float),
)


@settings(max_examples=300, deadline=None)
@given(
    found=st.lists(one_exam, min_size=1, max_size=30, unique_by=lambda exam: exam[0]),
    by_hour=st.lists(st.integers(0, 3), min_size=24, max_size=24).filter(any),
    ceiling_s=st.one_of(st.just(FIRST_COME_S), st.just(NO_CEILING_S), st.integers(1, 9000).map(float)),
)
def test_the_quick_queues_give_the_fair_order(
    found: list[tuple[float, float, bool, bool, float]], by_hour: list[int], ceiling_s: float
) -> None:
    found.sort(key=lambda exam: exam[0])
    arrived_s, harm_rate, stat, alarm, reading_s = (list(column) for column in zip(*found, strict=True))
    arrivals = exams(arrived_s, harm_rate, stat, alarm)
    readers = Readers(by_hour=tuple(by_hour), reading_min=1, reading_spread=0)
    order = Order(name="any", ceiling_s=ceiling_s)
    quick = waits_s(arrivals, order, readers, np.array(reading_s))
    assert quick.tolist() == by_hand(arrivals, order, readers, reading_s)


def test_a_small_morning_by_hand() -> None:
    """One reader, 10 minutes each: the flagged fourth passes two, and with a ceiling of 9 minutes none."""
    arrivals = exams([0.0, 60.0, 120.0, 180.0], [0.0, 0.0, 0.0, 0.9])
    readers = Readers(by_hour=(1,) * 24, reading_min=10, reading_spread=0)
    reading_s = readers.reading_s(4, np.random.default_rng(0))
    first = waits_s(arrivals, Order(name="a", ceiling_s=FIRST_COME_S), readers, reading_s)
    score = waits_s(arrivals, Order(name="b", ceiling_s=NO_CEILING_S), readers, reading_s)
    fair = waits_s(arrivals, Order(name="c", ceiling_s=15 * 60.0), readers, reading_s)
    assert (first / 60).tolist() == [0, 9, 18, 27]
    assert (score / 60).tolist() == [0, 19, 28, 7]
    assert (fair / 60).tolist() == [0, 19, 28, 7], "at 10 min nobody has waited for 15"
    strict = waits_s(arrivals, Order(name="d", ceiling_s=9 * 60.0), readers, reading_s)
    assert (strict / 60).tolist() == [0, 9, 18, 27]


def test_nobody_is_read_while_nobody_is_there() -> None:
    arrivals = exams([1 * HOUR_S, 2 * HOUR_S, 30 * HOUR_S])
    readers = Readers(by_hour=(0,) * 8 + (1,) * 10 + (0,) * 6, reading_min=30, reading_spread=0)
    reading_s = readers.reading_s(3, np.random.default_rng(0))
    waited = waits_s(arrivals, Order(name="a", ceiling_s=FIRST_COME_S), readers, reading_s)
    assert (waited / HOUR_S).tolist() == [7.0, 6.5, 2.0]


def test_an_alarm_is_first_but_not_in_first_come() -> None:
    arrivals = exams([0.0, 1.0, 2.0], [0.0, 0.0, 9.0], alarm=[False, False, True])
    readers = Readers(by_hour=(1,) * 24, reading_min=1, reading_spread=0)
    reading_s = readers.reading_s(3, np.random.default_rng(0))
    fair = waits_s(arrivals, Order(name="a", ceiling_s=5.0), readers, reading_s)
    assert fair.tolist() == [0.0, 119.0, 58.0]
    first = waits_s(arrivals, Order(name="b", ceiling_s=FIRST_COME_S), readers, reading_s)
    assert first.tolist() == [0.0, 59.0, 118.0]


def test_exams_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order of arrival"):
        exams([2.0, 1.0])
