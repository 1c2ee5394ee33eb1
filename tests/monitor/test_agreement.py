# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.finding import Code, Decision
from appliance.monitor.agreement import Agreement, agreement
from appliance.store.connection import Database
from appliance.store.opinions import FirstLook, Opinions, Stance, Subject


def subject(exam_id: str, *, code: str = "1", model: str | None = "t@1", looked: bool = False) -> Subject:
    return Subject(
        acquisition_id=exam_id,
        version=1,
        task="t",
        code=Code(value=code, scheme="SCT", meaning=f"Finding {code}"),
        model=model,
        probability=0.9,
        decision=Decision.PRESENT,
        first_look=FirstLook.SOMETHING if looked else None,
    )


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "s.sqlite", data=tmp_path, clock=ManualClock())


def test_each_model_and_finding_is_counted_with_the_newest_opinion(database: Database) -> None:
    opinions = Opinions(database)
    opinions.give(subject("a"), Stance.DISAGREE)
    opinions.give(subject("a"), Stance.AGREE)  # changed their mind
    opinions.give(subject("b", looked=True), Stance.UNSURE)
    opinions.give(subject("a", code="2"), Stance.DISAGREE)
    opinions.give(subject("c", model="t@2"), Stance.AGREE)
    opinions.give(subject("d", model=None), Stance.AGREE)
    counted = [
        (line.model, line.finding, line.agree, line.disagree, line.unsure, line.looked_first)
        for line in agreement(database)
    ]
    assert counted == [
        (None, "Finding 1", 1, 0, 0, 0),
        ("t@1", "Finding 1", 1, 0, 1, 1),
        ("t@1", "Finding 2", 0, 1, 0, 0),
        ("t@2", "Finding 1", 1, 0, 0, 0),
    ]
    database.close()


def test_no_opinion_is_no_agreement(database: Database) -> None:
    nothing: tuple[Agreement, ...] = ()
    assert agreement(database) == nothing
    database.close()
