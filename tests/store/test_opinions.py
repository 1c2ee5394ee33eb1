# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import apsw
import pytest

from appliance.clock import ManualClock
from appliance.domain.finding import Code, Decision
from appliance.store.connection import Database
from appliance.store.opinions import Act, FirstLook, Opinions, Stance, Subject

SUBJECT = Subject(
    acquisition_id="a",
    version=1,
    task="chest_triage",
    code=Code(value="36118008", scheme="SCT", meaning="Pneumothorax"),
    model="chest_triage@1.0",
    probability=0.86,
    decision=Decision.PRESENT,
    first_look=FirstLook.NOTHING,
)


def test_the_newest_opinion_counts_and_the_others_stay(
    database: Database, land: Callable[..., Any], clock: ManualClock
) -> None:
    land("a")
    opinions = Opinions(database)
    opinions.give(SUBJECT, Stance.AGREE)
    clock.advance(60)
    opinions.give(SUBJECT, Stance.UNSURE)
    (counts,) = opinions.newest(["a"])
    assert (counts.subject, counts.stance) == (SUBJECT, Stance.UNSURE)
    assert counts.given_at_utc == clock.now_utc().isoformat()
    assert database.read("SELECT opinion FROM opinion ORDER BY opinion_id") == [("agree",), ("unsure",)]


def test_each_finding_of_each_exam_has_its_own(database: Database, land: Callable[..., Any]) -> None:
    for name in ("a", "b", "c"):
        land(name)
    opinions = Opinions(database)
    other = replace(SUBJECT, code=replace(SUBJECT.code, value="3"), model=None, first_look=None)
    for subject in (
        SUBJECT,
        other,
        replace(SUBJECT, acquisition_id="b"),
        replace(SUBJECT, acquisition_id="c"),
    ):
        opinions.give(subject, Stance.DISAGREE)
    found = opinions.newest(["a", "b"])
    assert [(o.subject.acquisition_id, o.subject.code.value) for o in found] == [
        ("a", "36118008"),
        ("a", "3"),
        ("b", "36118008"),
    ]
    assert found[1].subject == other


def test_new_images_ask_again(database: Database, land: Callable[..., Any]) -> None:
    land("a")
    opinions = Opinions(database)
    opinions.give(SUBJECT, Stance.AGREE)
    opinions.did("a", 1, Act.SEEN)
    land("a", version=2)
    assert opinions.newest(["a"]) == ()
    assert opinions.deeds(["a"]) == ()


def test_the_first_deed_stays(database: Database, land: Callable[..., Any], clock: ManualClock) -> None:
    land("a")
    opinions = Opinions(database)
    opinions.did("a", 1, Act.FIRST_LOOK, first_look=FirstLook.NOTHING)
    first = opinions.deeds(["a"])
    clock.advance(5)
    opinions.did("a", 1, Act.FIRST_LOOK, first_look=FirstLook.SOMETHING)
    assert opinions.deeds(["a"]) == first
    assert (first[0].act, first[0].first_look) == (Act.FIRST_LOOK, FirstLook.NOTHING)


def test_a_first_look_without_an_answer_is_refused(database: Database, land: Callable[..., Any]) -> None:
    land("a")
    with pytest.raises(apsw.ConstraintError):
        Opinions(database).did("a", 1, Act.FIRST_LOOK)
