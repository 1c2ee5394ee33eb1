# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What moved from one run to another, and whether it is more than noise.

Compared is everything of which a run keeps the single values: times, and the ratios to the naive pipeline
round by round, which a load of the machine weighs on least. A difference is called one when all three hold:

- the 95 % interval of the ratio of the medians (bootstrap, percentile method) does not hold 1;
- Mann and Whitney's test says so, too, after Holm's correction for the number of things that are compared;
- the medians differ by at least LEAST_CHANGE: two runs are also two moods of one machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from appliance.errors import InputError
from benchmarks.machine import first_difference
from benchmarks.signed import signer_of

LEAST_CHANGE: Final = 0.05
"""Ours: below it nobody would act."""
LEVEL: Final = 0.05
LEAST_VALUES: Final = 4
"""Of fewer, no order of the ranks is surprising: 2 of the 70 ways to mix four with four are."""
DRAWS: Final = 4000
SEED: Final = 1
TIMES: Final = "latency_ms"
GAINS: Final = "ratio_to_naive_rounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing, before and after."""

    what: str
    before: float
    """Median."""
    after: float
    ratio: float
    """After over before, of the medians."""
    low: float
    high: float
    """95 % interval of the ratio."""
    p_value: float
    """Mann and Whitney's, after Holm's correction."""
    more_is_better: bool

    @property
    def is_more_than_noise(self) -> bool:
        """As the module's docstring says."""
        beside = self.low > 1 or self.high < 1
        return beside and self.p_value < LEVEL and abs(self.ratio - 1) >= LEAST_CHANGE

    @property
    def is_worse(self) -> bool:
        """It moved, and not for the better."""
        return self.is_more_than_noise and (self.ratio < 1) is self.more_is_better

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.is_more_than_noise:
            return "no difference beyond noise"
        return "worse" if self.is_worse else "better"


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Everything that both runs hold enough values of."""
    from scipy.stats import mannwhitneyu  # noqa: PLC0415  (--help stays quick)

    one, other = dict(_samples(before)), dict(_samples(after))
    both = [name for name in one if name in other]
    raw = [float(mannwhitneyu(one[name], other[name]).pvalue) for name in both]
    found = []
    for name, p_value in zip(both, _holm(raw), strict=True):
        low, high = _interval(one[name], other[name])
        medians = float(np.median(one[name])), float(np.median(other[name]))
        found.append(
            Change(
                what=name,
                before=medians[0],
                after=medians[1],
                ratio=medians[1] / medians[0],
                low=low,
                high=high,
                p_value=p_value,
                more_is_better=name.startswith(GAINS),
            )
        )
    return found


def _samples(report: dict[str, Any]) -> Iterator[tuple[str, list[float]]]:
    """Single values by the path at which they lie."""
    for name, values in report.get(GAINS, {}).items():
        if len(values) >= LEAST_VALUES:
            yield f"{GAINS}.{name}", values
    yield from _spreads(report, "")


def _spreads(part: Any, path: str) -> Iterator[tuple[str, list[float]]]:
    if not isinstance(part, dict):
        return
    values = part.get("values")
    if isinstance(values, list | tuple):
        if len(values) >= LEAST_VALUES and min(values) > 0 and "naive" not in path:
            yield path, list(values)
        return
    for name, below in part.items():
        yield from _spreads(below, f"{path}.{name}" if path else name)


def _interval(one: list[float], other: list[float]) -> tuple[float, float]:
    """Of the ratio of the medians: draws with replacement from each side."""
    random = np.random.default_rng(SEED)
    drawn = [
        np.median(random.choice(np.asarray(values), (DRAWS, len(values))), axis=1) for values in (one, other)
    ]
    low, high = np.percentile(drawn[1] / drawn[0], (100 * LEVEL / 2, 100 * (1 - LEVEL / 2)))
    return float(low), float(high)


def _holm(p_values: list[float]) -> list[float]:
    """Holm's step-down correction (Scand J Statist 6 (1979) 65-70)."""
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(np.argsort(p_values)):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = highest
    return corrected


def compare_files(before: Path, after: Path, *, across: bool, console: Console) -> bool:
    """Show what moved. True: something became worse.

    Raises InputError for a file that is no run or is not as it was signed, and for different machines
    unless `across`.
    """
    runs = [_read(file) for file in (before, after)]
    difference = first_difference(*(run["machine"] for run in runs))
    if difference is not None and not across:
        raise InputError(
            f"{before.name} and {after.name} were measured on different machines ({difference}).",
            remedy="Compare runs of one machine, or say --across: what moved is then the machine, too.",
        )
    if difference is not None:
        console.print(f"DIFFERENT MACHINES ({difference}): this is no change of the software.", markup=False)
    for name, run in zip((before.name, after.name), runs, strict=True):
        signer = signer_of(run, name=name)
        told = "not signed" if signer is None else f"signed with the key {signer[:16]}"
        load = f"load {run['machine']['load_1min']} to {run['load_after_1min']}"
        console.print(f"{name}: {'quick run, ' if run['quick'] else ''}{load}, {told}", markup=False)
    for words in _versions(*runs):
        console.print(words, markup=False)
    found = changes(*runs)
    if not found:
        raise InputError(
            f"{before.name} and {after.name} have nothing in common of which both keep single values.",
            remedy=f"Runs of this version keep them, where there were {LEAST_VALUES} rounds at the least.",
        )
    _show(found, console)
    return any(change.is_worse for change in found)


def _read(file: Path) -> dict[str, Any]:
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        if {"machine", "load_after_1min", "quick"} <= run.keys():
            return dict(run)
    except (OSError, ValueError, AttributeError) as error:
        raise _no_run(file) from error
    raise _no_run(file)


def _no_run(file: Path) -> InputError:
    return InputError(f"{file} is no run of the benchmark.", remedy="Name a .json that `bench run` wrote.")


def _versions(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What else differs."""
    libraries = [run["machine"]["libraries"] for run in (before, after)]
    for name in sorted({*libraries[0], *libraries[1]}):
        versions = [library.get(name, "none") for library in libraries]
        if versions[0] != versions[1]:
            yield f"{name}: {versions[0]} before, {versions[1]} after"
    if before["machine"]["kernel"] != after["machine"]["kernel"]:
        yield f"kernel: {before['machine']['kernel']} before, {after['machine']['kernel']} after"


def _show(found: list[Change], console: Console) -> None:
    moved = [change for change in found if change.is_more_than_noise]
    if moved:
        table = Table(title="What moved", title_justify="left")
        for column in ("what", "before", "after", "after / before (95 %)", "p", ""):
            table.add_column(column)
        for change in sorted(moved, key=lambda change: change.ratio):
            interval = f"{change.ratio:.2f} ({change.low:.2f} to {change.high:.2f})"
            numbers = (f"{change.before:.4g}", f"{change.after:.4g}", interval, f"{change.p_value:.2g}")
            table.add_row(change.what, *numbers, change.verdict)
        console.print(table)
    rest = len(found) - len(moved)
    console.print(f"{rest} of {len(found)} measured things: no difference beyond noise.")
