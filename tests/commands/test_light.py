# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside light test`: every state, on a real line."""

from __future__ import annotations

import json
import os
import pty
import select
import tty

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import ExitCode
from appliance.outputs.stack_light import LightState

RUN = CliRunner()


def test_every_state_is_shown_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    monkeypatch.setenv("SCANSIDE__LIGHT__KIND", "serial")
    monkeypatch.setenv("SCANSIDE__LIGHT__DEVICE", os.ttyname(slave))
    try:
        answer = RUN.invoke(app, ["light", "test", "--seconds", "0", "--json"])
        heard = b""
        while heard.count(b"\n") <= len(LightState):  # a terminal hands over what it has, not all of it
            assert select.select([master], [], [], 10)[0], heard
            heard += os.read(master, 4096)
        said = heard.decode("ascii").splitlines()
    finally:
        os.close(master)
        os.close(slave)
    assert answer.exit_code == ExitCode.OK
    states = [json.loads(line)["state"] for line in answer.stdout.splitlines()]
    assert states == [state.value for state in LightState]
    assert [line.split()[1] for line in said] == [*states, "dark"]
    assert said[0] == "LIGHT red 1 0 0 1"


def test_no_light_in_the_settings_is_said() -> None:
    answer = RUN.invoke(app, ["light", "test"])
    assert answer.exit_code == ExitCode.CONFIG
    assert "No light is named in the settings" in answer.stderr
