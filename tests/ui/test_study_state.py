# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ui.study_state import StudyState, date_words, study_state

LATE_VIEW_S = 20.0


def study(clinic: Any, exam_id: str) -> StudyState:
    state = study_state(clinic.read(), exam_id, now_ns=clinic.clock.monotonic_ns())
    assert state is not None
    return state


def limb(clinic: Any, exam_id: str, view: str, **change: Any) -> None:
    header = {"body_part": "WRIST", "view_position": view, "laterality": "R", "study_instance_uid": "1.9"}
    clinic.land(exam_id, **{**header, **change})


def test_the_views_of_one_study_belong_together(clinic: Any, make: Any) -> None:
    limb(clinic, "pa", "PA")
    limb(clinic, "lat", "LAT")
    limb(clinic, "stranger", "LAT", patient=make.patient("OTHER^One", patient_id="9"))
    limb(clinic, "elsewhere", "LAT", study_instance_uid="1.8")
    state = study(clinic, "pa")
    assert [side.exam_id for side in state.others] == ["lat"], "a study UID used twice mixes nobody up"
    assert (state.views, state.views_missing) == ("2 of 2 views.", False)
    assert state.prior is None, "the same day's other view is not an earlier image"


def test_a_view_that_does_not_come_is_missed_after_its_time(clinic: Any) -> None:
    limb(clinic, "lat", "LAT")
    clinic.clock.advance(LATE_VIEW_S - 1)
    assert (study(clinic, "lat").views, study(clinic, "lat").views_missing) == (
        "Waiting for the PA view.",
        False,
    )
    clinic.clock.advance(2)
    state = study(clinic, "lat")
    assert (state.views, state.views_missing) == ("1 of 2 views. PA is missing.", True)


def test_two_frontal_views_are_not_two_directions(clinic: Any) -> None:
    limb(clinic, "pa", "PA")
    limb(clinic, "ap", "AP")
    clinic.clock.advance(30)
    assert study(clinic, "pa").views == "1 of 2 views. LAT is missing."


def test_nobody_counts_the_views_of_a_chest(clinic: Any) -> None:
    clinic.land("chest")
    assert study(clinic, "chest").views == ""


def chest(clinic: Any, exam_id: str, taken: str | None, study_uid: str, **change: Any) -> None:
    clinic.land(exam_id, acquired_at=taken, study_instance_uid=study_uid, **change)


def test_the_newest_earlier_image_is_the_prior(clinic: Any, make: Any) -> None:
    chest(clinic, "now", "20260302080000", "1.1")
    chest(clinic, "older", "20200105", "1.2")
    chest(clinic, "old", "20250105", "1.3")
    chest(clinic, "later", "20260303", "1.4")
    prior = study(clinic, "now").prior
    assert prior is not None
    assert (prior.exam_id, prior.is_prior) == ("old", True)
    assert prior.caption == "PRIOR 5 January 2025 · Chest PA"


@pytest.mark.parametrize(
    "change",
    [
        {"body_part": "HAND"},
        {"modality": "CR"},
        {"laterality": "R"},
        {"study_instance_uid": "1.1"},
        {"acquired_at": None},
        {"acquired_at": "20260302"},
        {"patient_id": "9"},
        {"patient_id": None},
        {"patient_birth_date": "19500101"},
    ],
)
def test_what_might_be_somebody_or_something_else_is_no_prior(
    clinic: Any, make: Any, change: dict[str, Any]
) -> None:
    person = make.patient("MWANGI^Grace")
    in_person = {key: value for key, value in change.items() if key.startswith("patient")}
    in_header = {key: value for key, value in change.items() if key not in in_person}
    chest(clinic, "now", "20260302", "1.1", patient=person)
    earlier = {"acquired_at": "20250105", "study_instance_uid": "1.2", **in_header}
    clinic.land("old", patient=replace(person, **in_person), **earlier)
    assert study(clinic, "now").prior is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20250105", "5 January 2025"),
        ("20241231235959.5", "31 December 2024"),
        (None, "date not given"),
        ("2025", "date not given"),
        ("20251305", "date not given"),
    ],
)
def test_a_date_in_words(text: str | None, words: str) -> None:
    assert date_words(text) == words
