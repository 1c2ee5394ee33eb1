# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.quality import Verdict
from appliance.store.decisions import Choice, Decisions
from ui.patient_state import PatientState
from ui.privacy_state import Mask, masked
from ui.records import StoreTrouble
from ui.view_state import Attention, BoardState, StageKind, StageState, board_state

NAME, PATIENT_ID = "CANARY^Zebulon", "KN-77-4402"
CANARIES = ("canary", "zebulon", "kn-77-4402", "1931-02-17", "19310217")
"""What the header of the fixture holds and no other text of the product does."""


def texts(node: Any) -> Iterator[str]:
    if is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            yield from texts(getattr(node, field.name))
    elif isinstance(node, list | tuple | set | frozenset):
        for item in node:
            yield from texts(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from texts((key, value))
    elif node is not None:
        yield str(node)


def leaks(node: Any) -> list[str]:
    return [text for text in texts(node) if any(canary in text.casefold() for canary in CANARIES)]


def canary_exam(clinic: Any, make: Any) -> Any:
    """An exam whose every free text repeats what the header says of its patient."""
    patient = make.patient(NAME, patient_id=PATIENT_ID)
    object.__setattr__(patient, "patient_birth_date", "19310217")
    gossip = f"Seen Zebulon Canary (Canary, Zebulon), {PATIENT_ID}, born 1931-02-17, 19310217."
    exam = clinic.land("exam", patient=patient, view_position=gossip[:60], evidence=gossip)
    clinic.answer(
        exam,
        quality=clinic.quality(make.check("base", Verdict.REPEAT, gossip, 3, "mm", 1)),
        triage=clinic.triage(make.finding("Pneumothorax", 0.9, box=(1, 1, 9, 9)), fallback=gossip),
    )
    clinic.view(exam)
    Decisions(clinic.database).decide("exam", 1, Choice.KEEP, reason=gossip)
    return exam


def state_of(clinic: Any) -> BoardState:
    trouble = StoreTrouble(what=f"No room for {PATIENT_ID}.", remedy="Ask Canary.", since_ns=0)
    return board_state(
        clinic.read(), trouble=trouble, attention=Attention(), now_ns=clinic.clock.monotonic_ns()
    )


@pytest.mark.parametrize("mask", list(Mask))
def test_no_text_of_the_masked_state_tells_who_it_is(clinic: Any, make: Any, mask: Mask) -> None:
    canary_exam(clinic, make)
    state = state_of(clinic)
    assert len(leaks(state)) > 8, "the canary is in the state, or nothing is proved"
    assert leaks(masked(state, mask)) == []


def test_initials_and_what_belongs_to_the_image_stay(full_clinic: Any) -> None:
    state = board_state(
        full_clinic.read(),
        trouble=None,
        attention=Attention(selected_exam_id="cut"),
        now_ns=full_clinic.clock.monotonic_ns(),
    )
    shown = masked(state)
    assert shown.selected is not None
    assert state.selected is not None
    assert (shown.selected.patient.name, shown.selected.patient.patient_id) == ("M. G.", "ID hidden")
    assert shown.selected.patient.sex_age == state.selected.patient.sex_age
    for part in ("verdict", "findings", "picture", "stages", "decision"):
        assert getattr(shown.selected, part) == getattr(state.selected, part), part
    assert [row.reason for row in shown.rows] == [row.reason for row in state.rows]
    assert masked(shown.selected.picture) is shown.selected.picture


def test_a_wall_shows_sex_and_age_in_the_place_of_the_name(full_clinic: Any) -> None:
    state = board_state(full_clinic.read(), trouble=None, attention=Attention(), now_ns=0)
    assert state.selected is not None
    shown = masked(state.selected, Mask.WALL)
    assert shown.patient.name == state.selected.patient.sex_age


def test_a_missing_name_stays_a_missing_name(clinic: Any, make: Any) -> None:
    clinic.land("a", patient=make.patient(None, patient_id=None))
    assert masked(state_of(clinic)).rows[0].name == "Name not given"


def test_a_step_of_the_work_keeps_its_name() -> None:
    stage = StageState(name="Received", kind=StageKind.DONE, seconds="")
    assert masked(stage) is stage


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterPanel:
    """A state that another file may add one day."""

    exam_id: str
    patient_name: str
    told: tuple[str, ...]


def test_a_panel_that_is_added_later_is_masked_too() -> None:
    panel = LaterPanel(exam_id="x", patient_name="CANARY, Zebulon", told=("Ask Zebulon now",))
    assert masked(panel) == LaterPanel(exam_id="x", patient_name="C. Z.", told=("Ask Z. now",))


@given(
    family=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖé-'", min_size=4, max_size=20).filter(
        lambda text: sum(character.isalpha() for character in text) >= 4
    ),
    patient_id=st.text("0123456789-/", min_size=6, max_size=16).filter(
        lambda text: sum(character.isdigit() for character in text) >= 5
    ),
)
def test_any_name_and_id_are_gone(family: str, patient_id: str) -> None:
    patient = PatientState(
        name=f"{family}, Xq",
        sex_age="F · 34 y",
        birth_date="born 1931-02-17",
        patient_id=patient_id,
        exam=f"Chest PA {family} {patient_id}",
        side="side not given",
        side_given=False,
    )
    shown = masked(patient)
    for text in (shown.name, shown.exam):
        assert family.casefold() not in text.casefold()
        assert patient_id not in text


def test_paths_are_made_of_no_header(clinic: Any, make: Any) -> None:
    canary_exam(clinic, make)
    folder = clinic.read().exams[0].view_folder
    assert isinstance(folder, Path)
    assert leaks(folder) == []
