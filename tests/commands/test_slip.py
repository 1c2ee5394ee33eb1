# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside slip`: a slip that holds, one that does not, and the key that others need."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from appliance.cli import app
from appliance.device_key import device_key
from appliance.errors import ExitCode
from appliance.outputs.slip_payload import signed
from tests.outputs.test_slip_payload import SLIP

RUN = CliRunner()


def test_a_slip_of_this_device_is_confirmed(tmp_path: Path) -> None:
    line = signed(SLIP, device_key(tmp_path / "keys"))
    answer = RUN.invoke(app, ["slip", "verify", line, "--data", str(tmp_path)])
    assert answer.exit_code == ExitCode.OK
    assert "The signature holds. Exam 5D1F-0C2A" in answer.stdout
    assert "SCT:60046008: high, score 0.81 (raised from 0.20, high from 0.70)" in answer.stdout
    plain = RUN.invoke(app, ["slip", "verify", line, "--data", str(tmp_path), "--json"])
    assert json.loads(plain.stdout)["holds"] is True


def test_a_changed_slip_is_not(tmp_path: Path) -> None:
    line = signed(SLIP, device_key(tmp_path / "keys")).replace("0.81", "0.01")
    answer = RUN.invoke(app, ["slip", "verify", line, "--data", str(tmp_path)])
    assert answer.exit_code == ExitCode.FOUND_FAULTS
    assert answer.stdout.startswith("NOT CONFIRMED.")
    plain = RUN.invoke(app, ["slip", "verify", line, "--data", str(tmp_path), "--json"])
    assert json.loads(plain.stdout)["holds"] is False
    assert plain.exit_code == ExitCode.FOUND_FAULTS


def test_another_site_needs_only_the_public_key(tmp_path: Path) -> None:
    printed = RUN.invoke(app, ["slip", "key", "--data", str(tmp_path / "here")])
    assert printed.exit_code == ExitCode.OK
    assert "PRIVATE" not in printed.output
    public = tmp_path / "device.pem"
    public.write_text(printed.stdout, encoding="ascii")
    as_json = json.loads(RUN.invoke(app, ["slip", "key", "--data", str(tmp_path / "here"), "--json"]).stdout)
    assert as_json["pem"] == printed.stdout
    line = signed(SLIP, device_key(tmp_path / "here" / "keys"))
    there = ["slip", "verify", line, "--data", str(tmp_path / "there")]
    assert RUN.invoke(app, [*there, "--key", str(public)]).exit_code == ExitCode.OK
    without = RUN.invoke(app, there)
    assert without.exit_code == ExitCode.CONFIG
    assert not (tmp_path / "there").exists(), "checking makes no key"
