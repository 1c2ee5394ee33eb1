# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside notices`: a receiver that is tried, and the way back from a link to its exam."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.clock import SystemClock
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.store.connection import Database
from tests.web_server import Request, web_server

RUN = CliRunner()


def settings(tmp_path: Path, url: str) -> str:
    file = tmp_path / "scanside.toml"
    file.write_text(
        f'site_name = "Clinic West"\n[[sender.webhooks]]\nname = "ward"\nurl = "{url}"\n', encoding="utf-8"
    )
    return str(file)


@pytest.mark.parametrize("status", [204, 500])
def test_a_receiver_is_tried(tmp_path: Path, status: int) -> None:
    told: list[Request] = []

    def answer(request: Request) -> tuple[int, bytes]:
        told.append(request)
        return status, b""

    with web_server(answer) as url:
        config = settings(tmp_path, url)
        said = RUN.invoke(app, ["notices", "test", "ward", "--config", config])
        plain = RUN.invoke(app, ["notices", "test", "ward", "--config", config, "--json"])
    taken = status == 204
    assert said.exit_code == plain.exit_code == (ExitCode.OK if taken else ExitCode.FOUND_FAULTS)
    assert ("ward took it" in said.stdout) == taken
    assert ("HTTP 500" in said.stdout) != taken
    assert json.loads(plain.stdout)["taken"] is taken
    body = json.loads(told[0].body)
    assert (body["kind"], body["site"], body["link"]) == ("test", "Clinic West", None)


def test_an_unknown_receiver_is_said(tmp_path: Path) -> None:
    answer = RUN.invoke(
        app, ["notices", "test", "gone", "--config", settings(tmp_path, "https://example.org/")]
    )
    assert answer.exit_code == ExitCode.CONFIG
    assert "There are: ward." in answer.stderr


def test_only_this_device_finds_back(layout: Layout) -> None:
    with Database.open(layout.database, data=layout.data, clock=SystemClock()):
        pass
    data = ["--data", str(layout.data)]
    answer = RUN.invoke(app, ["notices", "find", "5D1F-0C2A", *data])
    assert answer.exit_code == ExitCode.FOUND_FAULTS
    assert RUN.invoke(app, ["notices", "find", "5D1", *data]).exit_code == ExitCode.CONFIG
