# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Two ways of doing one thing, by turns, and their ratio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from appliance.clock import NS_PER_S, Clock
from benchmarks.engine_matrix.spent import Spent, timed
from benchmarks.spread import Spread, median_ratio, spread_of

MS_PER_S: Final = 1000.0
LEAST_TURN_S: Final = 0.02
"""A turn repeats what is quick: processor time is counted in small steps, not in single microseconds."""
MOST_REPEATS: Final = 200
LEAST_ROUNDS: Final = 5
LONGEST_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One comparison, with the number that it should reach."""

    name: str
    words: str
    """What is divided by what."""
    ratio: float
    """Median of the rounds' ratios, in processor time or by the clock as `by_clock` says."""
    ratio_by_clock: float
    by_clock: bool
    goal: float
    at_least: bool
    kept: bool
    ours_ms: Spread
    """By the clock."""
    against_ms: Spread
    note: str = ""


def by_turns(
    sides: Mapping[str, Callable[[], object]], *, rounds: int, clock: Clock
) -> dict[str, list[Spent]]:
    """Each side once in each round, after one that does not count; quick ones several times in a row.

    On a slow or busy machine fewer rounds have to do: LEAST_ROUNDS, and no new one after LONGEST_S.
    """
    repeats = {name: _repeats(run, clock) for name, run in sides.items()}
    found: dict[str, list[Spent]] = {name: [] for name in sides}
    began_ns = clock.monotonic_ns()
    for number in range(rounds):
        if number >= LEAST_ROUNDS and clock.monotonic_ns() - began_ns > LONGEST_S * NS_PER_S:
            break
        for name, run in sides.items():
            found[name].append(_turn(run, repeats[name], clock))
    return found


def _repeats(run: Callable[[], object], clock: Clock) -> int:
    run()
    once_s = max(timed(run, clock).wall_s, 1e-6)
    return max(1, min(MOST_REPEATS, round(LEAST_TURN_S / once_s)))


def _turn(run: Callable[[], object], repeats: int, clock: Clock) -> Spent:
    def again() -> None:
        for _ in range(repeats):
            run()

    spent = timed(again, clock)
    return Spent(wall_s=spent.wall_s / repeats, cpu_s=spent.cpu_s / repeats)


def piece_of(
    name: str,
    words: str,
    ours: list[Spent],
    against: list[Spent],
    *,
    goal: float,
    at_least: bool = False,
    by_clock: bool = False,
    note: str = "",
) -> Piece:
    """Ours over the other side; with `at_least` the other side over ours."""
    pairs = (against, ours) if at_least else (ours, against)
    clocked = median_ratio(*([spent.wall_s for spent in side] for side in pairs))
    ratio = clocked if by_clock else median_ratio(*([spent.cpu_s for spent in side] for side in pairs))
    return Piece(
        name=name,
        words=words,
        ratio=ratio,
        ratio_by_clock=clocked,
        by_clock=by_clock,
        goal=goal,
        at_least=at_least,
        kept=ratio >= goal if at_least else ratio <= goal,
        ours_ms=spread_of(spent.wall_s * MS_PER_S for spent in ours),
        against_ms=spread_of(spent.wall_s * MS_PER_S for spent in against),
        note=note,
    )
