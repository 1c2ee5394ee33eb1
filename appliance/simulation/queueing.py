# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""When each exam is begun, under the order of `appliance.domain.fair_order`, in logarithmic time per exam.

`fair_order` sorts whoever waits, each time somebody is free. The same answer comes from three queues: who
goes first, everybody by arrival, and everybody by need. Only the head of the second can be the next one past
the ceiling. That both agree is tested (tests/simulation/test_queueing.py).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from appliance.domain.fair_order import FIRST_COME_S, need
from appliance.simulation.arrivals import Arrivals, Seconds
from appliance.simulation.readers import Readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A rule by which the next exam is taken."""

    name: str
    ceiling_s: float
    """FIRST_COME_S, NO_CEILING_S or the ceiling of the fair order."""


def waits_s(arrivals: Arrivals, order: Order, readers: Readers, reading_s: Seconds) -> Seconds:
    """From the arrival to the beginning of its reading, for each exam."""
    is_first = arrivals.is_stat
    if order.ceiling_s > FIRST_COME_S:
        is_first = arrivals.is_stat | arrivals.is_alarm
    needs = [need(None if math.isnan(rate) else rate) for rate in arrivals.harm_rate.tolist()]
    queues = _Queues(is_first.tolist(), needs, arrivals.arrived_s.tolist(), order.ceiling_s)
    return np.array(_run(queues, arrivals.arrived_s.tolist(), readers, reading_s.tolist()))


class _Queues:
    """Who waits now."""

    def __init__(
        self, is_first: list[bool], needs: list[float], arrived_s: list[float], ceiling_s: float
    ) -> None:
        self._is_first, self._needs, self._arrived_s = is_first, needs, arrived_s
        self._ceiling_s = ceiling_s
        self._first: deque[int] = deque()
        self._by_arrival: deque[int] = deque()
        self._by_need: list[tuple[float, int]] = []
        self._begun = bytearray(len(arrived_s))
        self.waiting = 0

    def add(self, exam: int) -> None:
        self.waiting += 1
        if self._is_first[exam]:
            self._first.append(exam)
            return
        self._by_arrival.append(exam)
        if self._ceiling_s > FIRST_COME_S:
            heappush(self._by_need, (self._needs[exam], exam))

    def take(self, now_s: float) -> int:
        self.waiting -= 1
        exam = self._first.popleft() if self._first else self._take_others(now_s)
        self._begun[exam] = True
        return exam

    def _take_others(self, now_s: float) -> int:
        begun, by_arrival = self._begun, self._by_arrival
        while begun[by_arrival[0]]:
            by_arrival.popleft()
        if now_s - self._arrived_s[by_arrival[0]] >= self._ceiling_s < math.inf:
            return by_arrival.popleft()
        _, exam = heappop(self._by_need)
        while begun[exam]:
            _, exam = heappop(self._by_need)
        return exam


def _run(queues: _Queues, arrived_s: list[float], readers: Readers, reading_s: list[float]) -> list[float]:
    exams = len(arrived_s)
    waited_s = [0.0] * exams
    free = [(0.0, reader) for reader in range(max(readers.by_hour))]
    came = done = 0
    while done < exams:
        free_s, reader = heappop(free)
        now_s = readers.next_at_work_s(reader, free_s)
        if now_s > free_s:
            heappush(free, (now_s, reader))
            continue
        while came < exams and arrived_s[came] <= now_s:
            queues.add(came)
            came += 1
        if not queues.waiting:
            heappush(free, (arrived_s[came], reader))
            continue
        exam = queues.take(now_s)
        waited_s[exam] = now_s - arrived_s[exam]
        heappush(free, (now_s + reading_s[exam], reader))
        done += 1
    return waited_s
