# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How much is measured, and what every measurement is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes of the measurements."""

    rows: int
    columns: int
    rounds: int
    """How often each radiograph goes through both sides, alternately."""
    paints: bool
    """Whether the screen runs beside, to time when a verdict is painted."""
    slow_rounds: int
    """How often a radiograph is copied slowly into the appliance's inbox."""
    slices: int
    slices_per_s: float
    """How fast they come: current scanners reconstruct 20 to 60 a second and send them as they go."""
    series_rounds: int
    backlog_files: int
    urgent_files: int
    idle_s: float
    piece_rounds: int
    """How often single pieces are measured by turns."""
    engine_rounds: int
    """How often each engine computes for a while."""
    engine_turn_s: float
    denoised_of_a_patient: int
    """Slices at most of each patient on whom denoisers are chosen and judged."""
    soak_s: float
    """How long images come in a row while memory, handles and the disk are looked at."""
    starts: int
    watched_folders: int
    watched_files: int
    overflows: bool
    """Whether the kernel's queue of file events is made to overflow, which takes thousands of files."""
    hour_s: float
    """How much of the busiest hour is replayed, at each of its paces."""


FULL: Final = Plan(
    rows=3000,
    columns=2500,
    rounds=15,
    paints=True,
    slow_rounds=5,
    slices=200,
    slices_per_s=40.0,
    series_rounds=5,
    backlog_files=10_000,
    urgent_files=5,
    idle_s=20.0,
    piece_rounds=15,
    engine_rounds=5,
    engine_turn_s=0.4,
    denoised_of_a_patient=4,
    soak_s=300.0,
    starts=5,
    watched_folders=20_000,
    watched_files=10_000,
    overflows=True,
    hour_s=600.0,
)
QUICK: Final = Plan(
    rows=3000,
    columns=2500,
    rounds=3,
    paints=False,
    slow_rounds=0,
    slices=120,
    slices_per_s=40.0,
    series_rounds=1,
    backlog_files=200,
    urgent_files=2,
    idle_s=5.0,
    piece_rounds=5,
    engine_rounds=2,
    engine_turn_s=0.2,
    denoised_of_a_patient=1,
    soak_s=60.0,
    starts=1,
    watched_folders=2_000,
    watched_files=1_000,
    overflows=False,
    hour_s=60.0,
)
"""Below three minutes on two cores: for ratios only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a measurement works with."""

    plan: Plan
    folder: Path
    """Empty, on a disk (not in memory: flushing is part of what is measured)."""
    kept: Path
    """What an interrupted try of this measurement left to go on from; lasts until the run is whole."""
    clock: Clock
    say: Callable[[str], None]
    """Tells the person who waits what is going on; counts as one step."""
