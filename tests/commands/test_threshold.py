# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from appliance.cli import app
from appliance.clock import SystemClock
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.pins import Role, set_pin
from appliance.store.connection import Database
from tests.tiny_triage import build_triage

PIN = "483920"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a store, a model and the PIN of lead."""
    layout = Layout(data=tmp_path / "data")
    layout.create()
    Database.open(layout.database, data=layout.data, clock=SystemClock()).close()
    build_triage(tmp_path / "models" / "bundle", release=2)
    monkeypatch.setenv("SCANSIDE__MODELS", json.dumps([str(tmp_path / "models")]))
    monkeypatch.setenv("SCANSIDE__KIOSK__PINS", str(tmp_path / "pins.toml"))
    set_pin(tmp_path / "pins.toml", Role.LEAD, PIN)
    return layout.data


def move(data: Path, value: str, *, pin: str = PIN, code: str = "BRIGHT") -> Result:
    words = ["--by", "A. Lead", "--why", "Too many flags.", "--data", str(data), "--json"]
    return CliRunner().invoke(
        app, ["threshold", "set", "chest_triage", code, value, *words], input=f"{pin}\n"
    )


def shown(data: Path) -> dict[str, dict[str, Any]]:
    done = CliRunner().invoke(app, ["threshold", "show", "--data", str(data), "--json"])
    assert done.exit_code == ExitCode.OK, done.output
    return {line["code"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_a_point_is_moved_with_a_pin_and_the_record_is_kept(data: Path) -> None:
    assert shown(data)["BRIGHT"]["in_force"] == 0.4
    done = move(data, "0.5")
    assert done.exit_code == ExitCode.OK, done.output
    assert PIN not in done.output
    change = json.loads(done.stdout)
    assert (change["old_threshold"], change["new_threshold"], change["role"]) == (0.4, 0.5, "lead")
    assert set(change["record"]) == {"description", "protocol", "impact"}
    line = shown(data)["BRIGHT"]
    assert (line["in_force"], line["signed_low"], line["signed_high"]) == (0.5, 0.4, 0.6)
    assert "by A. Lead: Too many flags." in line["words"]
    assert not shown(data)["DARK"]["is_local"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": "0.61"}, "outside the signed range of Bright: 0.4 to 0.6"),
        ({"value": "0.39"}, "outside the signed range of Bright: 0.4 to 0.6"),
        ({"value": "0.5", "pin": "111222"}, "not the PIN of lead"),
        ({"value": "0.5", "code": "GREY"}, "There are: chest_triage BRIGHT (Bright)"),
    ],
)
def test_what_may_not_be_is_refused_in_words(change: dict[str, str], words: str, data: Path) -> None:
    done = move(data, **change)
    assert done.exit_code == ExitCode.CONFIG
    assert words in done.output
    assert shown(data)["BRIGHT"]["in_force"] == 0.4


def test_without_a_pin_nobody_may(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANSIDE__KIOSK__PINS", str(data / "none.toml"))
    done = move(data, "0.5")
    assert done.exit_code == ExitCode.CONFIG
    assert "scanside pin set lead" in done.output


def test_another_release_is_shown_as_signed(data: Path, tmp_path: Path) -> None:
    move(data, "0.5")
    (tmp_path / "models" / "bundle").rename(tmp_path / "old")
    build_triage(tmp_path / "models" / "bundle", release=3)
    line = shown(data)["BRIGHT"]
    assert (line["in_force"], line["is_local"]) == (0.4, False)
    assert "set for release 2 of brightness; as signed with this one" in line["words"]
