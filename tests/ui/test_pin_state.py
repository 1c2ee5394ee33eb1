# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ui.pin_state import LONGEST_PAUSE_S, Tries, after_wrong, pause_left_s


# Trace: REQ-038
def test_three_wrong_ones_bring_a_pause_that_doubles() -> None:
    tries, pauses = Tries(), []
    for _ in range(6):
        tries = after_wrong(tries, now_ns=0)
        pauses.append(pause_left_s(tries, now_ns=0))
    assert pauses == [0, 0, 30, 60, 120, 240]


def test_a_pause_ends() -> None:
    tries = Tries(wrong=3, paused_until_ns=30 * 10**9)
    assert pause_left_s(tries, now_ns=29 * 10**9) == pytest.approx(1)
    assert pause_left_s(tries, now_ns=31 * 10**9) == 0


def test_the_longest_pause_is_an_hour_however_often() -> None:
    tries = Tries(wrong=5000)
    assert pause_left_s(after_wrong(tries, now_ns=0), now_ns=0) == LONGEST_PAUSE_S
