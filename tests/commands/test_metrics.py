# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from appliance.clock import SystemClock
from appliance.layout import Layout
from appliance.store.connection import Database

Say = Callable[..., CompletedProcess[str]]


def made(data: Path) -> Layout:
    layout = Layout(data=data)
    layout.create()
    with Database.open(layout.database, data=data, clock=SystemClock()):
        return layout


def test_the_file_for_the_collector_is_what_is_printed(tmp_path: Path, say: Say) -> None:
    layout = made(tmp_path / "data")
    out = tmp_path / "scanside.prom"
    assert say("metrics", "--data", layout.data, "--out", out).stdout == ""
    assert "scanside_store_readable 1.0" in out.read_text(encoding="utf-8")
    assert list(tmp_path.glob("*.part")) == []
    lines = [json.loads(line) for line in say("metrics", "--data", layout.data, "--json").stdout.splitlines()]
    assert {"name": "scanside_store_readable", "labels": {}, "value": 1.0} in lines


def test_without_a_store_it_says_so(tmp_path: Path, say: Say) -> None:
    assert "scanside_store_readable 0.0" in say("metrics", "--data", tmp_path).stdout


def test_drift_of_an_empty_store(tmp_path: Path, say: Say) -> None:
    layout = made(tmp_path / "data")
    page = tmp_path / "drift.html"
    done = say("drift", "--data", layout.data, "--html", page)
    assert "No scanner has been compared yet" in done.stdout
    assert "No scanner has been compared yet" in page.read_text(encoding="utf-8")
    assert "No such scanner" in say("drift", "--data", layout.data, "--fix-baseline").stdout


def test_a_wrong_folder_is_not_made_an_appliance(tmp_path: Path, say: Say) -> None:
    assert say("drift", "--data", tmp_path, "--fix-baseline").returncode == 74
    assert list(tmp_path.rglob("*.sqlite")) == []
