# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How long one waits for an engine that comes back."""

from __future__ import annotations

import pytest

from appliance.clock import ManualClock
from appliance.models.retry import Retry


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def retry(clock: ManualClock) -> Retry:
    return Retry(clock, engines=("remote",), first_s=5, longest_s=30)


def wait_of(retry: Retry, clock: ManualClock) -> float:
    """Seconds until the engine is due, to the second."""
    for waited_s in range(100):
        if retry.due("chest"):
            return waited_s
        clock.advance(1)
    raise AssertionError("never due")


def test_the_wait_doubles_up_to_its_limit(retry: Retry, clock: ManualClock) -> None:
    waits = []
    for _ in range(5):
        retry.failed("chest", "remote")
        waits.append(wait_of(retry, clock))
    assert waits == [5, 10, 20, 30, 30]


def test_an_engine_of_this_device_is_not_tried_again(retry: Retry, clock: ManualClock) -> None:
    retry.failed("chest", "openvino")
    clock.advance(10_000)
    assert retry.due("chest") == ()


def test_each_task_waits_for_itself(retry: Retry, clock: ManualClock) -> None:
    retry.failed("chest", "remote")
    clock.advance(5)
    assert retry.due("chest") == ("remote",)
    assert retry.due("denoise") == ()


def test_what_serves_is_not_due(retry: Retry, clock: ManualClock) -> None:
    retry.failed("chest", "remote")
    clock.advance(5)
    retry.served("chest", "remote")
    clock.advance(100)
    assert retry.due("chest") == ()


def test_one_that_has_served_for_a_while_is_asked_again_soon(retry: Retry, clock: ManualClock) -> None:
    for _ in range(3):
        retry.failed("chest", "remote")
    retry.served("chest", "remote")
    clock.advance(20)
    retry.failed("chest", "remote")
    assert wait_of(retry, clock) == 5


def test_one_that_answers_the_known_question_and_then_fails_is_asked_less_and_less(
    retry: Retry, clock: ManualClock
) -> None:
    retry.failed("chest", "remote")
    assert wait_of(retry, clock) == 5
    retry.served("chest", "remote")
    clock.advance(1)
    retry.failed("chest", "remote")
    assert wait_of(retry, clock) == 10
