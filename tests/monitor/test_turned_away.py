# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who is turned away again and again is told, for as long as it is news."""

from __future__ import annotations

from pathlib import Path

from appliance.clock import ManualClock
from appliance.domain.turned_away import Bar
from appliance.intake.refusals import MOST_KEPT, Refusals
from appliance.layout import Layout
from appliance.monitor.doctor import _turned_away
from appliance.monitor.turned_away import TurnedAwayFile, repeatedly_turned_away


# Trace: REQ-053
def test_the_third_refusal_is_told_and_an_old_one_no_more(tmp_path: Path) -> None:
    clock = ManualClock()
    layout = Layout(data=tmp_path)
    layout.create()
    refusals, file = Refusals(clock), TurnedAwayFile(layout.run, clock)
    for count in range(1, 4):
        refusals.add("192.0.2.7", Bar.CALLING_TITLE, ae_title="CT9")
        clock.advance(3)
        file.write(refusals.recent())
        assert len(repeatedly_turned_away(layout.run, clock)) == (count == 3)
    (told,) = _turned_away(layout, clock)
    assert told.found.startswith("192.0.2.7 (CT9) was turned away 3 times")
    assert "listener.calling_ae_titles" in told.remedy
    clock.advance(3601)
    assert not repeatedly_turned_away(layout.run, clock)
    assert not refusals.recent()


def test_a_flood_of_addresses_is_bounded_and_the_newest_stay() -> None:
    refusals = Refusals(ManualClock())
    for number in range(MOST_KEPT * 2):
        refusals.add(f"h{number}", Bar.TOO_OFTEN)
    assert len(refusals.recent()) == MOST_KEPT
    assert refusals.recent()[-1].host == f"h{MOST_KEPT * 2 - 1}"


def test_what_a_stranger_calls_itself_cannot_break_a_line() -> None:
    refusals = Refusals(ManualClock())
    refusals.add("h", Bar.CALLING_TITLE, ae_title="A\n\x1b[2JB")
    assert refusals.recent()[0].ae_title == "A[2JB"


def test_no_file_and_a_broken_one_are_no_news(tmp_path: Path) -> None:
    assert not repeatedly_turned_away(tmp_path, ManualClock())
    (tmp_path / "turned-away.json").write_text("{", encoding="utf-8")
    assert not repeatedly_turned_away(tmp_path, ManualClock())
