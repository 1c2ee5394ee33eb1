# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ui.patient_state import EdgeLetters, PatientState, edge_letters, patient_of


def one(clinic: Any, **change: Any) -> PatientState:
    clinic.land("a", **change)
    return patient_of(clinic.read().exams[0].entry)


def test_everything_that_identifies(clinic: Any) -> None:
    state = one(clinic, laterality="R")
    assert state.name == "MWANGI, Grace"
    assert state.sex_age == "F · 34 y"
    assert state.birth_date == "born 1991-04-12"
    assert state.patient_id == "10-4471"
    assert state.exam == "Chest right PA"
    assert (state.side, state.side_given) == ("RIGHT", True)


@pytest.mark.parametrize(
    ("body_part", "laterality", "side"),
    [
        ("CHEST", None, "R/L given"),
        ("CHEST", "U", "R/L given"),
        ("HAND", None, "side not given"),
        ("HAND", "U", "side not given"),
        ("HAND", "L", "LEFT"),
        (None, None, "side not given"),
    ],
)
def test_letters_at_the_edges_do_not_say_which_hand_it_is(
    clinic: Any, make: Any, body_part: str | None, laterality: str | None, side: str
) -> None:
    state = one(clinic, body_part=body_part, laterality=laterality, geometry=make.geometry(("L", "F")))
    assert (state.side, state.side_given) == (side, side != "side not given")


def test_what_is_unknown_says_so(clinic: Any, make: Any) -> None:
    unknown = make.patient(None, patient_id=None, age_years=None)
    state = one(clinic, patient=unknown, laterality=None, geometry=make.geometry(None), body_part=None)
    assert state.name == "Name not given"
    assert state.patient_id == "ID not given"
    assert state.sex_age == "F · age not given"
    assert (state.side, state.side_given) == ("side not given", False)


@pytest.mark.parametrize(
    ("age_years", "shown"), [(0.25, "3 months"), (0.999, "11 months"), (1.0, "1 y"), (8.9, "8 y")]
)
def test_ages(clinic: Any, make: Any, age_years: float, shown: str) -> None:
    assert one(clinic, patient=make.patient("A", age_years=age_years)).sex_age == f"F · {shown}"


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [
        (("L", "F"), EdgeLetters(left="R", right="L", top="H", bottom="F")),
        (("R", "F"), EdgeLetters(left="L", right="R", top="H", bottom="F")),
        (("A", "F"), EdgeLetters(left="P", right="A", top="H", bottom="F")),
        (("LA", "FP"), EdgeLetters(left="RP", right="LA", top="HA", bottom="FP")),
        (("X", "F"), None),
        (("", ""), None),
        (None, None),
    ],
)
def test_letters_from_patient_orientation(
    make: Any, orientation: tuple[str, str] | None, letters: EdgeLetters | None
) -> None:
    assert edge_letters(make.geometry(orientation)) == letters


@pytest.mark.parametrize(
    ("cosines", "letters"),
    [
        ((1, 0, 0, 0, 1, 0), EdgeLetters(left="R", right="L", top="A", bottom="P")),
        ((-1, 0, 0, 0, 1, 0), EdgeLetters(left="L", right="R", top="A", bottom="P")),
        ((0, 1, 0, 0, 0, -1), EdgeLetters(left="A", right="P", top="H", bottom="F")),
        ((1, 0, 0, 0, 0, -1), EdgeLetters(left="R", right="L", top="H", bottom="F")),
        ((0.8, 0.6, 0, 0, 0, -1), EdgeLetters(left="RA", right="LP", top="H", bottom="F")),
        ((0.98, 0.2, 0, -0.2, 0.98, 0), EdgeLetters(left="R", right="L", top="A", bottom="P")),
    ],
)
def test_letters_from_direction_cosines(make: Any, cosines: tuple[float, ...], letters: EdgeLetters) -> None:
    assert edge_letters(make.geometry(None, image_orientation_patient=cosines)) == letters
