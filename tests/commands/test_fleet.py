# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside fleet`: from a device's file to the page of all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from appliance.clock import SystemClock
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.store.connection import Database
from tests.command_line import json_lines

Say = Callable[..., CompletedProcess[str]]


def test_from_a_device_to_the_page(layout: Layout, tmp_path: Path, say: Say) -> None:
    with Database.open(layout.database, data=layout.data, clock=SystemClock()):
        pass
    gathered, page = tmp_path / "gathered", tmp_path / "fleet.html"
    gathered.mkdir()
    there = {"SCANSIDE__FLEET__DEVICE_KEYS": str(tmp_path / "keys"), "SCANSIDE__SITE_NAME": "West"}
    assert say("fleet", "beat", "--data", layout.data, **there).returncode == ExitCode.CONFIG
    (beat,) = json_lines(say("fleet", "beat", "--out", gathered, "--data", layout.data, "--json", **there))
    assert beat["name"] == "West"
    assert "worker does not run" in beat["troubles"][1]
    refused = say("fleet", "page", gathered, "--out", page, "--json", **there)
    assert refused.returncode == ExitCode.FOUND_FAULTS
    assert "nobody here has been told to trust" in json_lines(refused)[0]["refused"]
    (key,) = json_lines(say("slip", "key", "--data", layout.data, "--json"))
    pem = tmp_path / "west.pem"
    pem.write_text(key["pem"], encoding="ascii")
    taken = say("fleet", "trust", pem, "--fingerprint", beat["device"], **there)
    assert taken.returncode == ExitCode.OK
    (box,) = json_lines(say("fleet", "page", gathered, "--out", page, "--json", **there))
    assert (box["name"], box["standing"]) == ("west", "down")
    assert "no images are received" in page.read_text(encoding="utf-8")
