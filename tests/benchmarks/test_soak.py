# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The soak: slopes that are right, a leak that is found, and a minute of the real thing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from appliance.clock import SystemClock
from appliance.domain.record import from_json, to_json
from benchmarks.plan import QUICK, Workshop
from benchmarks.soak import MIB, S_PER_H, main, slope_of, summary
from benchmarks.soak_part import SoakReport, measure_soak


def samples(rss_per_hour: float, *, hours: float = 10.0, count: int = 200) -> list[dict[str, object]]:
    chance = np.random.default_rng(1)
    return [
        {
            "sitting": 1,
            "hour": hour,
            "total_hour": hour,
            "seen": {"worker": {"rss_bytes": 400 * MIB + rss_per_hour * hour + chance.normal(0, 3 * MIB)}},
        }
        for hour in np.linspace(0, hours, count)
    ]


def test_the_slope_is_that_of_the_line_whatever_a_peak_does() -> None:
    hours = [number / 10 for number in range(100)]
    values = [7.0 + 2.5 * hour for hour in hours]
    values[50] = 10_000.0
    slope = slope_of("a line", hours, values)
    assert slope.per_hour == pytest.approx(2.5)
    assert slope.low_per_hour <= 2.5 <= slope.high_per_hour


def test_a_leak_is_named_and_noise_is_not() -> None:
    leak = summary(samples(5 * MIB), given=3, answered=3, restarts=0)
    assert any("worker rss_bytes grows" in words for words in leak["failures"])
    noise = summary(samples(0.0), given=3, answered=3, restarts=0)
    assert noise["failures"] == []


def test_a_study_without_an_answer_and_a_restart_are_failures() -> None:
    failures = summary(samples(0.0), given=3, answered=2, restarts=1)["failures"]
    assert failures == ["1 of 3 studies have no answer", "processes were started again 1 times"]


@pytest.mark.timeout(300)
def test_half_a_minute_and_the_report_goes_on(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    report = tmp_path / "soak.json"
    arguments = ["--json", str(report), "--folder", str(tmp_path / "work"), "--arrival-s", "3"]
    done = CliRunner().invoke(app, [*arguments, "--sample-s", "0.5", "--hours", "0.005"])
    first = json.loads(report.read_text())
    assert first["given"] == first["answered"] > 0, done.output
    assert {"worker rss_bytes", "watcher handles", "sender threads", "disk database_bytes"} <= set(
        first["slopes"]
    )
    assert first["hours"] >= 0.005
    said: list[str] = []
    again = measure_soak(
        Workshop(
            plan=replace(QUICK, soak_s=0.005 * S_PER_H),
            folder=tmp_path / "work",
            kept=tmp_path,
            clock=SystemClock(),
            say=said.append,
        )
    )
    assert again.minutes == pytest.approx(first["hours"] * 60, abs=0.01), "nothing was left to do"
    assert (again.given, again.failed) == (first["given"], len(first["failures"]))
    assert again.slopes.keys() == first["slopes"].keys()
    assert all(len(sizes) == len(again.at_minute) for sizes in again.resident_mib.values())
    assert from_json(SoakReport, to_json(again)) == again
