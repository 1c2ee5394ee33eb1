# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from appliance.clock import SystemClock
from appliance.domain.finding import Code, Decision
from appliance.layout import Layout
from appliance.store.connection import Database
from appliance.store.opinions import Opinions, Stance, Subject

Say = Callable[..., CompletedProcess[str]]


def test_what_people_said_is_a_table_and_json(tmp_path: Path, say: Say) -> None:
    layout = Layout(data=tmp_path)
    layout.create()
    with Database.open(layout.database, data=tmp_path, clock=SystemClock()) as database:
        empty = say("models", "agreement", "--data", tmp_path)
        assert "Nobody has judged a finding yet" in empty.stdout
        subject = Subject(
            acquisition_id="a",
            version=1,
            task="t",
            code=Code(value="7", scheme="SCT", meaning="Nodule"),
            model="t@1",
            probability=0.9,
            decision=Decision.PRESENT,
            first_look=None,
        )
        Opinions(database).give(subject, Stance.DISAGREE)
    assert "Nodule (7)" in say("models", "agreement", "--data", tmp_path).stdout
    (line,) = say("models", "agreement", "--data", tmp_path, "--json").stdout.splitlines()
    assert json.loads(line) == {
        "model": "t@1",
        "code": "7",
        "finding": "Nodule",
        "agree": 0,
        "disagree": 1,
        "unsure": 0,
        "looked_first": 0,
    }


def test_no_store_is_said(tmp_path: Path, say: Say) -> None:
    told = say("models", "agreement", "--data", tmp_path)
    assert told.returncode != 0
    assert "There is no store" in told.stderr
