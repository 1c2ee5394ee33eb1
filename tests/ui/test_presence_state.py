# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ui.health_state import HealthKind
from ui.presence_state import Presence, PresenceLimits, idle_of, presence
from ui.view_state import Attention, board_state


@pytest.mark.parametrize(
    ("untouched_s", "step"),
    [
        (0, Presence.HERE),
        (179.9, Presence.HERE),
        (180, Presence.AWAY),
        (599, Presence.AWAY),
        (600, Presence.GONE),
        (1e6, Presence.GONE),
    ],
)
def test_the_steps_of_an_empty_room(untouched_s: float, step: Presence) -> None:
    assert presence(untouched_s, PresenceLimits()) is step


def test_zero_is_never() -> None:
    assert presence(1e9, PresenceLimits(initials_after_min=0, idle_after_min=0)) is Presence.HERE
    assert presence(1e9, PresenceLimits(initials_after_min=3, idle_after_min=0)) is Presence.AWAY
    assert presence(1e9, PresenceLimits(initials_after_min=0, idle_after_min=10)) is Presence.GONE


def test_the_idle_page_counts_what_nobody_has_decided(full_clinic: Any) -> None:
    now_ns = full_clinic.clock.monotonic_ns()
    state = board_state(full_clinic.read(), trouble=None, attention=Attention(), now_ns=now_ns)
    idle = idle_of(state)
    assert (idle.word, idle.kind) == ("OK", HealthKind.OK)
    assert (idle.urgent, idle.waiting) == ("1 urgent", "6 exams wait")


def test_an_old_list_is_not_counted_and_not_green(full_clinic: Any) -> None:
    now_ns = full_clinic.clock.monotonic_ns() + 61 * 10**9
    state = board_state(full_clinic.read(), trouble=None, attention=Attention(), now_ns=now_ns)
    idle = idle_of(state)
    assert idle.kind is not HealthKind.OK
    assert "not known" in idle.urgent
    assert "not known" in idle.waiting


def test_before_the_first_reading_nothing_is_known() -> None:
    idle = idle_of(board_state(None, trouble=None, attention=Attention(), now_ns=0))
    assert idle.kind is HealthKind.ATTENTION
    assert "not known" in idle.urgent
