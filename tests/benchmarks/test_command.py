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

from benchmarks.__main__ import NAMES, publish
from benchmarks.report import Measured


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **environment},
    )


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    done = run("--only", "dx_webp")
    assert done.returncode == 2
    assert "dx_webp" in done.stderr
    assert all(name in done.stderr for name in NAMES)


def test_an_appliance_that_does_not_start_is_told_with_its_reason(tmp_path: Path) -> None:
    done = run("--only", "backlog", "--quick", "--folder", str(tmp_path), SCANSIDE__SITE_NAME="x" * 65)
    assert done.returncode == 1
    assert "Not measured" in done.stderr
    assert "site_name" in done.stderr


def test_a_run_is_written_shown_and_judged(
    whole_run: Measured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.json"
    kept = publish(whole_run, out)
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["ratio_to_naive"]["dx_raw"] == 5.0
    shown = capsys.readouterr().out
    assert not kept, "a file of the backlog was lost"
    assert "backlog_lost" in shown
    assert "NO" in shown


def test_a_run_that_measured_nothing_breaks_no_promise(empty_run: Measured) -> None:
    assert publish(empty_run, None)
