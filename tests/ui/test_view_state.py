# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
from typing import Any

from ui.records import StoreTrouble
from ui.view_state import Attention, BoardState, StageKind, board_state


def state_of(clinic: Any, **attention: Any) -> BoardState:
    return board_state(
        clinic.read(),
        trouble=None,
        attention=Attention(**attention),
        now_ns=clinic.clock.monotonic_ns(),
    )


def test_the_view_state_needs_no_qt() -> None:
    program = "import sys, ui.view_state, ui.store_source; sys.exit('PyQt6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_most_urgent_exam_is_shown_unless_a_person_chose(full_clinic: Any) -> None:
    assert state_of(full_clinic).selected.exam_id == "cut"  # type: ignore[union-attr]
    assert state_of(full_clinic, selected_exam_id="good").selected.exam_id == "good"  # type: ignore[union-attr]
    assert state_of(full_clinic, selected_exam_id="no").selected.exam_id == "cut"  # type: ignore[union-attr]


def test_new_urgent_exams_are_announced_while_the_list_stands_still(full_clinic: Any) -> None:
    state = state_of(full_clinic, shown_order=("good", "wrist"), untouched_s=1.0)
    assert [row.exam_id for row in state.rows] == ["good", "wrist"]
    assert state.arrivals == "1 new urgent"
    assert state_of(full_clinic, shown_order=("cut", "wrist"), untouched_s=1.0).arrivals == "4 new"


def test_an_empty_store_says_what_to_do(clinic: Any) -> None:
    state = state_of(clinic)
    assert state.message is not None
    assert "inbox" in state.message.remedy
    assert state.health is not None


def test_no_store_says_why() -> None:
    trouble = StoreTrouble(what="There is no store at /x.", remedy="Start the appliance.", since_ns=0)
    state = board_state(None, trouble=trouble, attention=Attention(), now_ns=0)
    assert state.message is not None
    assert (state.message.what, state.message.remedy) == ("There is no store at /x.", "Start the appliance.")
    starting = board_state(None, trouble=None, attention=Attention(), now_ns=0)
    assert starting.message is not None


def test_stages_tick_off(full_clinic: Any) -> None:
    new = state_of(full_clinic, selected_exam_id="new").selected
    assert new is not None
    assert [(stage.name, stage.kind) for stage in new.stages] == [
        ("Received", StageKind.DONE),
        ("Check", StageKind.WAITING),
        ("AI", StageKind.WAITING),
        ("Denoise", StageKind.WAITING),
    ]
    cut = state_of(full_clinic, selected_exam_id="cut").selected
    assert cut is not None
    assert [stage.kind for stage in cut.stages] == [StageKind.DONE] * 3
