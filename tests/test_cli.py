# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The command as a whole: help, version, and an exit code for whose fault it is."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.clock import SystemClock
from appliance.domain.acquisition import Acquisition, Completeness, Kind, SliceRef, Urgency
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.store.connection import Database
from appliance.store.landing import Landings
from tests.command_line import scanside

COMMANDS = (
    ("demo",),
    ("run",),
    ("results",),
    ("process",),
    ("kiosk",),
    ("doctor",),
    ("models", "list"),
    ("models", "verify"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_helps_and_speaks_json(command: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*command, "--help"])
    assert done.exit_code == ExitCode.OK
    assert "--json" in done.stdout


def test_the_list_of_commands_is_whole() -> None:
    done = CliRunner().invoke(app, ["--help"])
    assert done.exit_code == ExitCode.OK
    assert all(command[0] in done.stdout for command in COMMANDS)
    for code in (getattr(ExitCode, name) for name in vars(ExitCode) if name.isupper()):
        assert f"{code} " in done.stdout


@pytest.mark.parametrize("arguments", [["unknown"], ["results", "--no-such"], ["process"], ["run", "extra"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == ExitCode.USAGE
    assert done.stdout == ""


def test_the_version_is_the_distributions() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.strip() == version("scanside")


def test_a_fault_of_the_software_ends_with_70_and_quotes_nothing(
    tmp_path: Path, make_instance: object
) -> None:
    assert callable(make_instance)
    layout = Layout(data=tmp_path)
    layout.create()
    with Database.open(layout.database, data=layout.data, clock=SystemClock()) as database:
        acquisition = Acquisition(
            acquisition_id="a",
            version=1,
            kind=Kind.PROJECTION,
            completeness=Completeness.COMPLETE,
            evidence="one image",
            urgency=Urgency.LIVE,
            instances=(make_instance(),),
            slices=(SliceRef(instance=0, frame=0, position_mm=None),),
        )
        Landings(database).amend(acquisition)
        database.read(
            "INSERT INTO file (sha256, path, size_bytes, door, source, urgency, landed_at_utc, boot_id,"
            " noticed_ns, landed_ns, status, acquisition_id, arrival, instance) VALUES"
            " ('0', 'x', 1, 'folder', 'x', 1, '2026-01-01', 'b', 0, 0, 'accepted', 'a', 1, ?)",
            (json.dumps({"patient_name": "CANARY^JANE"}),),
        )
    done = scanside("results", "--data", tmp_path, "--json", cache=tmp_path / "cache")
    assert done.returncode == ExitCode.SOFTWARE
    assert done.stdout == ""
    said = json.loads(done.stderr)
    assert said["event"] == "fault of the software"
    assert "ValueError" in said["exception"]
    assert "CANARY" not in done.stderr
