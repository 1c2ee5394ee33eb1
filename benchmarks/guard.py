# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The measurements against what budgets.toml promises.

A budget that a benchmark holds names its place as `benchmarks/FILE.py::PATH`, PATH being where its value
lies in the run's JSON (`latency_ms.dx_raw.quality.p95`). A short run on a shared machine guards ratios
only, with a margin: both sides of a ratio feel the same load, an absolute time does not tell whose it was.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BUDGETS: Final = Path(__file__).resolve().parents[1] / "budgets.toml"
OURS: Final = "benchmarks/"
RATIOS: Final = "ratio_to_naive."
TIMES_MS: Final = "latency_ms."
MS_PER_S: Final = 1000.0
NOISE: Final = 0.4
"""Share of a ratio's limit that a short run may fall short by: medians of three rounds under a load that
comes and goes scattered by up to a third."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One promise that a benchmark holds."""

    name: str
    promise: str
    limit: float
    unit: str
    at_least: bool
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A promise and what was measured; `kept` is None when it was not."""

    budget: Budget
    value: float | None
    kept: bool | None


def read_budgets(file: Path = BUDGETS) -> tuple[Budget, ...]:
    """The budgets that benchmarks hold; none where there is no file (an installed wheel has none)."""
    if not file.exists():
        return ()
    entries = tomllib.loads(file.read_text(encoding="utf-8"))["budget"]
    return tuple(
        Budget(
            name=entry["name"],
            promise=entry["promise"],
            limit=float(entry["limit"]),
            unit=entry["unit"],
            at_least=entry["bound"] == "at least",
            path=entry["measured"].partition("::")[2],
        )
        for entry in entries
        if entry["measured"].startswith(OURS)
    )


def judge(report: dict[str, Any], budgets: tuple[Budget, ...]) -> tuple[Judgement, ...]:
    """Every budget that this kind of run may judge: all of them, or in a quick one ratios with a margin."""
    quick = bool(report["quick"])
    return tuple(
        _judge(report, budget, slack=NOISE if quick else 0.0)
        for budget in budgets
        if not quick or budget.path.startswith(RATIOS)
    )


def _judge(report: dict[str, Any], budget: Budget, *, slack: float) -> Judgement:
    value = value_at(report, budget.path)
    if value is None:
        return Judgement(budget=budget, value=None, kept=None)
    if budget.unit == "s" and budget.path.startswith(TIMES_MS):
        value /= MS_PER_S
    if budget.at_least:
        return Judgement(budget=budget, value=value, kept=value >= budget.limit * (1 - slack))
    return Judgement(budget=budget, value=value, kept=value <= budget.limit * (1 + slack))


def value_at(report: dict[str, Any], path: str) -> float | None:
    """The number at a dotted path; None when the run did not measure it."""
    found: Any = report
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return float(found) if isinstance(found, int | float) else None
