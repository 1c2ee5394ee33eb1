# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks`, as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.device_key import device_key
from appliance.layout import Layout
from appliance.models.keys import fingerprint_of
from benchmarks.publish import publish
from benchmarks.report import Measured, as_json
from benchmarks.run import NAMES
from benchmarks.signed import signer_of


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **environment},
    )


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """No appliance has run there."""
    return Layout(data=tmp_path / "data")


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    done = run("run", "--only", "dx_webp")
    assert done.returncode == 2
    assert "dx_webp" in done.stderr
    assert all(name in done.stderr for name in NAMES)


def test_an_appliance_that_does_not_start_is_told_with_its_reason(tmp_path: Path) -> None:
    done = run("run", "--only", "backlog", "--quick", "--into", str(tmp_path), SCANSIDE__SITE_NAME="x" * 65)
    assert done.returncode == 1
    assert "Not measured" in done.stderr
    assert "site_name" in done.stderr


def test_a_run_is_written_shown_and_judged(
    whole_run: Measured, tmp_path: Path, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.json"
    kept = publish(as_json(whole_run), into=tmp_path, json_file=out, layout=layout)
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["ratio_to_naive"]["dx_raw"] == 5.0
    shown = capsys.readouterr().out
    assert not kept, "a file of the backlog was lost"
    assert "backlog_lost" in shown
    assert "NO" in shown
    assert "Not signed" in shown
    name = "run-2026-12-01T093015"
    assert {path.name for path in tmp_path.glob("run-*")} == {
        f"{name}.{kind}" for kind in ("json", "html", "md")
    }


def test_a_run_that_measured_nothing_breaks_no_promise(
    empty_run: Measured, tmp_path: Path, layout: Layout
) -> None:
    assert publish(as_json(empty_run), into=tmp_path, json_file=None, layout=layout)


def test_a_device_signs_its_run_and_its_screen_gets_it(
    empty_run: Measured, tmp_path: Path, layout: Layout
) -> None:
    layout.create()
    layout.database.parent.mkdir(parents=True, exist_ok=True)
    layout.database.touch()
    publish(as_json(empty_run), into=tmp_path / "into", json_file=None, layout=layout)
    (file,) = layout.bench.glob("*.json")
    report = json.loads(file.read_text(encoding="utf-8"))
    assert signer_of(report, name=file.name) == fingerprint_of(device_key(layout.keys).public_key())
