# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from appliance.clock import NS_PER_S, SystemClock
from appliance.errors import ExitCode
from tests.command_line import json_lines

Say = Callable[..., CompletedProcess[str]]
SMALL = ("--arrivals", "500", "--runs", "2")
LIMIT_S = 10.0


def test_three_orders_in_json_and_the_same_again(say: Say) -> None:
    told = say("simulate", *SMALL, "--json")
    assert told.returncode == ExitCode.OK, told.stderr
    orders = dict.fromkeys(line["order"] for line in json_lines(told))
    assert list(orders) == ["first come", "by score", "fair, 45 min"]
    assert say("simulate", *SMALL, "--json").stdout == told.stdout
    assert say("simulate", *SMALL, "--json", "--seed", "2").stdout != told.stdout


def test_the_ceiling_comes_from_the_settings(say: Say) -> None:
    told = say("simulate", *SMALL, "--json", SCANSIDE__QUEUE__CEILING_MIN="70")
    assert "fair, 70 min" in {line["order"] for line in json_lines(told)}


def test_a_table_a_page_and_pictures(say: Say, tmp_path: Path) -> None:
    told = say("simulate", *SMALL, "--ceiling-min", "30", "--ceiling-min", "60", "--out", tmp_path / "out")
    assert told.returncode == ExitCode.OK, told.stderr
    assert "Dislocation (not looked for)" in told.stdout
    assert "index.html" in told.stdout
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".html", ".csv", ".png"}


def test_a_site_s_own_table_is_replayed(say: Say, tmp_path: Path) -> None:
    rows = [
        f"2026-03-02T{hour:02}:{minute:02}:00,{0.9 if minute == 30 else 0.1}"
        for hour in range(24)
        for minute in range(0, 60, 10)
    ]
    file = tmp_path / "exams.csv"
    file.write_text("arrived_at,probability:Fracture\n" + "\n".join(rows), encoding="utf-8")
    told = say("simulate", "--csv", file, "--readers", "1", "--night-readers", "1", "--runs", "3", "--json")
    assert told.returncode == ExitCode.OK, told.stderr
    everybody = [line for line in json_lines(told) if line["group"] == "everybody"]
    assert [line["exams"] for line in everybody] == [3 * 144] * 3
    flagged = {
        line["order"]: line["mean_min"] for line in json_lines(told) if line["group"] == "flagged by the AI"
    }
    assert flagged["by score"] < flagged["first come"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--readers", "0"), "Nobody reads"),
        (("--day", "morning"), "is not two hours"),
        (("--day", "8-25"), "is not two hours"),
        (("--data", ".", "--csv", "x"), "Both --data and --csv"),
    ],
)
def test_what_cannot_be_simulated_is_said(say: Say, arguments: tuple[str, ...], words: str) -> None:
    told = say("simulate", *SMALL, *arguments)
    assert told.returncode == ExitCode.CONFIG
    assert words in told.stderr


def test_an_empty_store_and_a_missing_one_are_said(say: Say, tmp_path: Path) -> None:
    missing = say("simulate", "--data", tmp_path)
    assert missing.returncode == ExitCode.STORE
    assert "There is no store" in missing.stderr
    empty = tmp_path / "exams.csv"
    empty.write_text("arrived_at\n", encoding="utf-8")
    told = say("simulate", "--csv", empty)
    assert told.returncode == ExitCode.CONFIG
    assert "no exam to replay" in told.stderr


def test_a_hundred_thousand_arrivals_in_time(say: Say, tmp_path: Path) -> None:
    clock = SystemClock()
    began_ns = clock.monotonic_ns()
    told = say("simulate", "--arrivals", "10000", "--runs", "10", "--json", "--out", tmp_path)
    took_s = (clock.monotonic_ns() - began_ns) / NS_PER_S
    assert sum(line["exams"] for line in json_lines(told) if line["group"] == "everybody") == 3 * 100_000
    assert took_s <= LIMIT_S
