# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.guard import NOISE, judge, read_budgets, value_at

BUDGETS = """
[[budget]]
name = "radiograph_gain"
promise = "Sooner than the naive pipeline"
limit = 4.0
unit = "1"
bound = "at least"
measured = "benchmarks/latency.py::ratio_to_naive.dx_raw"

[[budget]]
name = "verdict"
promise = "Verdict"
limit = 1
unit = "s"
bound = "at most"
measured = "benchmarks/latency.py::latency_ms.dx_raw.quality.p95"

[[budget]]
name = "elsewhere"
promise = "Held by a test"
limit = 0
unit = "1"
bound = "at most"
measured = "tests/store/test_landing.py"
"""


def _report(*, quick: bool, ratio: float, p95: float) -> dict[str, Any]:
    return {
        "quick": quick,
        "ratio_to_naive": {"dx_raw": ratio},
        "latency_ms": {"dx_raw": {"quality": {"p95": p95}}},
    }


@pytest.fixture
def budgets_file(tmp_path: Path) -> Path:
    path = tmp_path / "budgets.toml"
    path.write_text(BUDGETS, encoding="utf-8")
    return path


def test_only_what_benchmarks_hold_is_judged(budgets_file: Path) -> None:
    assert [budget.name for budget in read_budgets(budgets_file)] == ["radiograph_gain", "verdict"]


def test_a_full_run_is_held_to_the_letter(budgets_file: Path) -> None:
    budgets = read_budgets(budgets_file)
    kept = judge(_report(quick=False, ratio=4.0, p95=1000.0), budgets)
    missed = judge(_report(quick=False, ratio=3.99, p95=1000.1), budgets)
    assert [judgement.kept for judgement in kept] == [True, True]
    assert [judgement.kept for judgement in missed] == [False, False]


def test_a_quick_run_judges_ratios_with_a_margin_and_no_times(budgets_file: Path) -> None:
    budgets = read_budgets(budgets_file)
    (just,) = judge(_report(quick=True, ratio=4.0 * (1 - NOISE) + 0.01, p95=1e9), budgets)
    (not_even,) = judge(_report(quick=True, ratio=4.0 * (1 - NOISE) - 0.01, p95=0.0), budgets)
    assert (just.kept, not_even.kept) == (True, False)


def test_what_was_not_measured_is_not_kept_and_not_missed(budgets_file: Path) -> None:
    empty = {"quick": False, "ratio_to_naive": {}, "latency_ms": None}
    assert [judgement.kept for judgement in judge(empty, read_budgets(budgets_file))] == [None, None]


def test_no_file_no_budgets(tmp_path: Path) -> None:
    assert read_budgets(tmp_path / "budgets.toml") == ()


def test_only_numbers_are_values() -> None:
    report = {"a": {"b": 2, "c": "2", "d": None}}
    assert [value_at(report, path) for path in ("a.b", "a.c", "a.d", "a.b.c", "x")] == [
        2.0,
        None,
        None,
        None,
        None,
    ]
