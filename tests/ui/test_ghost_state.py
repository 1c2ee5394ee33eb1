# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders on the screen: who is expected, and how many views a study is held open for."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

import pytest

from appliance.config import Settings
from appliance.domain.expected import ExpectedStep, PerformedImage, PerformedStep, StepStatus
from appliance.store.expected import Expected
from appliance.store.performed import PerformedSteps
from appliance.worklist import WorklistSettings
from ui.ghost_state import ghosts_of
from ui.privacy_state import Mask, masked
from ui.records import BoardRecord
from ui.store_source import StoreSource
from ui.study_state import study_state
from ui.view_state import Attention, board_state

SETTINGS = Settings(worklist=WorklistSettings(host="ris"))


def step(number: int = 1, **known: Any) -> ExpectedStep:
    unknown: dict[str, Any] = {field.name: None for field in fields(ExpectedStep)}
    order: dict[str, Any] = {
        "study_instance_uid": f"1.9.{number}",
        "accession_number": f"A{number}",
        "patient_id": f"PAT{number}",
        "patient_name": "OTIENO^Paul",
        "patient_birth_date": "19700203",
        "scheduled_procedure_step_description": "XR wrist right 2 views",
        "scheduled_station_name": "Room 2",
        "body_part": "WRIST",
        "views": ("PA", "LAT"),
        "view_count": 2,
        "views_sure": True,
    }
    return ExpectedStep(**{**unknown, **order, **known})


def read(clinic: Any, settings: Settings = SETTINGS) -> BoardRecord:
    with StoreSource(clinic.layout, clinic.clock, settings=settings) as source:
        return source.read()


def listed(clinic: Any, *steps: ExpectedStep) -> None:
    Expected(clinic.database).replace(steps, unread=0, whole=True)


def at(clinic: Any, hour: int, minute: int = 0) -> datetime:
    day = clinic.clock.now_utc().astimezone().replace(tzinfo=None)
    return day.replace(hour=hour, minute=minute)


def test_who_is_expected_has_initials_a_procedure_and_a_room(clinic: Any) -> None:
    listed(clinic, step(1, scheduled_at=at(clinic, 9, 20)), step(2, scheduled_at=at(clinic, 9, 40)), step(3))
    state = ghosts_of(read(clinic))
    assert state is not None
    assert (state.heading, state.is_old, len(state.ghosts)) == ("3 expected", False, 2)
    first = state.ghosts[0]
    assert (first.at, first.name, first.procedure) == ("09:20", "O. P.", "XR wrist right 2 views, Room 2")


def test_no_ghost_shows_a_name_an_id_or_a_birth_date(clinic: Any) -> None:
    leak = "wrist for Otieno PAT1 born 19700203"
    listed(clinic, step(1, scheduled_procedure_step_description=leak))
    state = ghosts_of(read(clinic))
    assert state is not None
    assert not any(secret in repr(state).casefold() for secret in ("otieno", "paul", "pat1", "1970"))
    assert masked(state, Mask.WALL).ghosts[0].name == "-", "on a wall not even initials"


def test_before_the_first_image_the_page_says_who_is_expected(clinic: Any) -> None:
    listed(clinic, step(1, scheduled_at=at(clinic, 9, 20)))
    state = board_state(read(clinic), trouble=None, attention=Attention(), now_ns=clinic.clock.monotonic_ns())
    assert state.message is not None
    assert state.message.title == "1 expected"
    assert "09:20 O. P. · XR wrist" in state.message.what


def test_who_has_an_image_is_no_ghost(clinic: Any) -> None:
    listed(clinic, step(1), step(2))
    clinic.land("a", body_part="WRIST", view_position="PA", study_instance_uid="1.9.1")
    state = ghosts_of(read(clinic))
    assert state is not None
    assert state.heading == "1 expected"


def test_no_worklist_no_ghost(clinic: Any) -> None:
    assert ghosts_of(read(clinic, Settings())) is None
    assert ghosts_of(read(clinic)) is None, "it has not answered yet"
    listed(clinic, step(1, scheduled_at=at(clinic, 1)))
    clinic.clock.advance(8 * 3600)
    assert ghosts_of(read(clinic)) is None, "hours after their time nobody waits for them"


def test_an_old_list_says_how_old_it_is(clinic: Any) -> None:
    listed(clinic, step(1))
    clinic.clock.advance(20 * 60)
    state = ghosts_of(read(clinic))
    assert state is not None
    assert (state.heading, state.is_old) == ("1 expected, list 20 min old", True)


def views(clinic: Any, exam_id: str, settings: Settings = SETTINGS) -> tuple[str, bool]:
    state = study_state(read(clinic, settings), exam_id, now_ns=clinic.clock.monotonic_ns())
    assert state is not None
    return state.views, state.views_missing


def wrist(clinic: Any, exam_id: str, view: str) -> None:
    clinic.land(exam_id, body_part="WRIST", view_position=view, laterality="R", study_instance_uid="1.9.1")


@pytest.mark.parametrize(
    ("order", "waiting", "late"),
    [
        ({"views": ("PA", "LAT")}, "Waiting for the LAT view.", "1 of 2 views. LAT is missing."),
        (
            {"views": ("PA", "OBL", "LAT"), "view_count": 3},
            "Waiting for the OBL view.",
            "1 of 3 views. OBL, LAT is missing.",
        ),
        ({"views": (), "view_count": 3}, "Waiting for the next view.", "1 of 3 views."),
    ],
)
def test_the_order_holds_the_study_open(clinic: Any, order: dict[str, Any], waiting: str, late: str) -> None:
    listed(clinic, step(1, **order))
    wrist(clinic, "a", "PA")
    assert views(clinic, "a") == (waiting, False)
    clinic.clock.advance(21)
    assert views(clinic, "a") == (late, True)


def test_an_order_of_one_view_waits_for_none(clinic: Any) -> None:
    listed(clinic, step(1, views=("PA",), view_count=1))
    wrist(clinic, "a", "PA")
    assert views(clinic, "a") == ("", False), "not the two that a wrist usually has"


def test_the_last_expected_view_ends_the_wait_at_once(clinic: Any) -> None:
    listed(clinic, step(1))
    wrist(clinic, "a", "PA")
    wrist(clinic, "b", "LAT")
    assert views(clinic, "a") == ("2 of 2 views.", False)


def test_the_time_is_a_setting(clinic: Any) -> None:
    patient = Settings.model_validate({"kiosk": {"late_view_s": 60}})
    wrist(clinic, "a", "PA")
    clinic.clock.advance(30)
    assert views(clinic, "a", patient) == ("Waiting for the LAT view.", False)
    assert views(clinic, "a") == ("1 of 2 views. LAT is missing.", True)


def test_a_modality_that_is_done_ends_the_wait(clinic: Any) -> None:
    acquisition = clinic.land(
        "a", body_part="WRIST", view_position="PA", laterality="R", study_instance_uid="1.9.1"
    )
    report = PerformedStep(
        sop_instance_uid="1.7",
        status=StepStatus.IN_PROGRESS,
        study_instance_uids=("1.9.1",),
        accession_numbers=(),
        images=(
            PerformedImage(series_instance_uid="1.2.3", sop_instance_uid=acquisition.first.sop_instance_uid),
        ),
    )
    steps = PerformedSteps(clinic.database)
    steps.keep(report)
    assert views(clinic, "a") == ("Waiting for the LAT view.", False)
    ended = {field.name: getattr(report, field.name) for field in fields(report)}
    steps.keep(PerformedStep(**{**ended, "status": StepStatus.COMPLETED}))
    assert views(clinic, "a") == ("1 of 2 views. LAT is missing.", True)
