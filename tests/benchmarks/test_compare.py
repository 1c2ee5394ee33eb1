# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from appliance.errors import InputError
from benchmarks.compare import changes, compare_files
from benchmarks.report import Measured, as_json
from benchmarks.spread import spread_of

KINDS = ("a", "b", "c", "d", "e", "f")


def a_run(seed: int, **factors: float) -> dict[str, Any]:
    """Fifteen rounds of each kind around 100 ms; `factors`: how much slower a kind is."""
    random = np.random.default_rng(seed)
    times = {
        kind: {"quality": asdict(spread_of(random.normal(100, 8, 15) * factors.get(kind, 1.0)))}
        for kind in KINDS
    }
    gains = {kind: list(random.normal(6, 0.4, 15) / factors.get(kind, 1.0)) for kind in KINDS}
    return {"latency_ms": times, "ratio_to_naive_rounds": gains}


def verdicts(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    return {change.what: change.verdict for change in changes(before, after)}


def test_two_runs_of_the_same_are_not_different() -> None:
    said = [verdict for seed in range(20) for verdict in verdicts(a_run(seed), a_run(seed + 100)).values()]
    assert len(said) == 20 * 2 * len(KINDS)
    assert set(said) == {"no difference beyond noise"}


def test_what_moved_is_found_and_its_direction_told() -> None:
    found = verdicts(a_run(1), a_run(2, b=1.3, c=0.7))
    assert found["latency_ms.b.quality"] == "worse"
    assert found["ratio_to_naive_rounds.b"] == "worse"
    assert found["latency_ms.c.quality"] == "better"
    assert found["ratio_to_naive_rounds.c"] == "better"
    assert set(verdicts(a_run(1), a_run(2, b=1.3, c=0.7)).values()) == {
        *("worse", "better", "no difference beyond noise")
    }


def test_a_difference_that_nobody_would_act_upon_is_none() -> None:
    before, after = a_run(1), a_run(1)
    after["latency_ms"]["a"]["quality"]["values"] = [
        value * 1.02 for value in before["latency_ms"]["a"]["quality"]["values"]
    ]
    assert verdicts(before, after)["latency_ms.a.quality"] == "no difference beyond noise"


@pytest.fixture
def files(whole_run: Measured, tmp_path: Path) -> tuple[Path, Path, dict[str, Any]]:
    """Two files of one run, and what is in them."""
    report = {**as_json(whole_run), **a_run(1)}
    for name in ("before.json", "after.json"):
        (tmp_path / name).write_text(json.dumps(report), encoding="utf-8")
    return tmp_path / "before.json", tmp_path / "after.json", report


def shown(before: Path, after: Path, *, across: bool = False) -> tuple[bool, str]:
    console = Console(record=True, width=200, quiet=False)
    worse = compare_files(before, after, across=across, console=console)
    return worse, console.export_text()


def test_a_run_with_itself(files: tuple[Path, Path, dict[str, Any]]) -> None:
    worse, words = shown(*files[:2])
    assert not worse
    assert "12 of 12 measured things: no difference beyond noise." in words


def test_what_became_worse_is_the_answer_of_the_command(files: tuple[Path, Path, dict[str, Any]]) -> None:
    before, after, report = files
    after.write_text(json.dumps({**report, **a_run(1, a=2.0)}), encoding="utf-8")
    worse, words = shown(before, after)
    assert worse
    assert "latency_ms.a.quality" in words


def test_different_machines_are_not_compared_in_silence(files: tuple[Path, Path, dict[str, Any]]) -> None:
    before, after, report = files
    other = deepcopy(report)
    other["machine"]["cpu"] = "another processor"
    after.write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(InputError, match="different machines"):
        shown(before, after)
    assert "DIFFERENT MACHINES" in shown(before, after, across=True)[1]


def test_a_file_that_is_no_run_is_said(files: tuple[Path, Path, dict[str, Any]]) -> None:
    files[1].write_text("[1]", encoding="utf-8")
    with pytest.raises(InputError, match=r"after\.json is no run"):
        shown(*files[:2])
