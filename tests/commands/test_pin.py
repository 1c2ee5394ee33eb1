# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.clock import SystemClock
from appliance.domain.audit import AuditKind
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.pins import Role, load_pins
from appliance.store.audit import Trail
from appliance.store.connection import Database


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCANSIDE__KIOSK__PINS", str(tmp_path / "pins.toml"))
    return tmp_path / "pins.toml"


def test_a_pin_is_asked_for_twice_and_never_shown(file: Path) -> None:
    done = CliRunner().invoke(app, ["pin", "set", "service", "--json"], input="483920\n483920\n")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"role": "service", "file": str(file)}
    assert "483920" not in done.output
    assert load_pins(file).verify(Role.SERVICE, b"483920")


def test_two_different_ones_set_nothing(file: Path) -> None:
    done = CliRunner().invoke(app, ["pin", "set", "lead"], input="483920\n483921\n")
    assert done.exit_code != 0
    assert not file.exists()


def test_a_short_one_is_a_wrong_setting_in_words(file: Path) -> None:
    done = CliRunner().invoke(app, ["pin", "set", "lead"], input="4839\n4839\n")
    assert done.exit_code == ExitCode.CONFIG
    assert "6 to 12 digits" in done.output
    assert not file.exists()


def test_there_is_no_other_role(file: Path) -> None:
    assert CliRunner().invoke(app, ["pin", "set", "root"]).exit_code == ExitCode.USAGE
    assert not file.exists()


def test_the_trail_says_that_a_pin_was_set_and_not_which(file: Path, tmp_path: Path) -> None:
    layout = Layout(data=tmp_path / "device")
    layout.create()
    Database.open(layout.database, data=layout.data, clock=SystemClock()).close()
    command = ["pin", "set", "service", "--data", str(layout.data)]
    assert CliRunner().invoke(app, command, input="483920\n483920\n").exit_code == 0
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        events = [row.event for row in Trail(database).rows()]
    assert [(event.kind, event.about) for event in events] == [(AuditKind.PIN_SET, (("role", "service"),))]


NOBODY = 65534


@pytest.fixture
def of_nobody() -> Iterator[Path]:
    """A folder of somebody who is not root, where that user may go: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.chown(folder, NOBODY, NOBODY)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_root_leaves_no_file_of_its_own_beside_the_store(file: Path, of_nobody: Path) -> None:
    layout = Layout(data=of_nobody)
    os.seteuid(NOBODY)
    layout.create()
    Database.open(layout.database, data=layout.data, clock=SystemClock()).close()
    os.seteuid(0)
    command = ["pin", "set", "service", "--data", str(layout.data)]
    assert CliRunner().invoke(app, command, input="483920\n483920\n").exit_code == 0
    assert [path for path in layout.data.rglob("*") if path.stat().st_uid != NOBODY] == []
    assert any(layout.audit.iterdir()), "the row has an anchor"
    assert file.stat().st_uid == 0
