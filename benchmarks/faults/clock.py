# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure: the wall clock is set while things wait, and nothing ends early, late or out of order.

Three ways: each wait by itself on a clock moved by hand; the schedules of arrivals with the clock set before
each step; and the real watcher under libfaketime, its clock set while a series is coming.
"""

from __future__ import annotations

import itertools
import logging
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from appliance.clock import NS_PER_S, ManualClock, SystemClock
from appliance.logs import start_logs
from appliance.store.board import Board
from benchmarks.faults.clock_waits import JUMPS, WAITS, Jump, bench_in
from benchmarks.faults.figure import Run
from benchmarks.faults.intake_site import Site
from benchmarks.faults.schedule import Step
from benchmarks.faults.schedules import PER_STORE, SCHEDULES, SEED, Disturb, play_many
from benchmarks.faults.tiny_images import tiny_slice

LIBRARIES: Final = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime")
QUIET_S: Final = 3.0
PATIENCE_S: Final = 60.0
HALF: Final = 5
PER_JUMP: Final = 3
"""Times that each jump is made at the running watcher."""


def faketime() -> Path | None:
    """The library that sets one process's clock; None: it is not installed (package faketime)."""
    for folder in LIBRARIES:
        library = Path(folder) / "libfaketimeMT.so.1"
        if library.exists():
            return library
    return None


def waits(folder: Path) -> tuple[int, list[str]]:
    """Each wait with each jump: how many, and what went wrong."""
    wrong = []
    for number, (name, wait) in enumerate(WAITS.items()):
        for jump_name, jump in JUMPS.items():
            place = folder / f"{number} {jump_name.replace(' ', '')}"
            shutil.rmtree(place, ignore_errors=True)  # of a run that was interrupted
            place.mkdir(parents=True)
            with bench_in(place, jump) as bench:
                words = wait(bench)
            if words is not None:
                wrong.append(f"{name}, {jump_name}: {words}")
            shutil.rmtree(place)
    return len(WAITS) * len(JUMPS), wrong


def set_by_chance(chance: random.Random) -> Disturb:
    """Sets the clock before every step of a schedule."""
    jumps = tuple(JUMPS.values())

    def disturb(clock: ManualClock, step: Step) -> None:
        del step
        clock.set_utc(chance.choice(jumps)(datetime(2026, 6, 1, 12, tzinfo=timezone.utc)))

    return disturb


class SetClock:
    """The wall clock of one process and its children, moved against the machine's."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file, self._library = file, library
        self._put(0)

    def environment(self) -> dict[str, str]:
        """For the process."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "Europe/Berlin",
        }

    def jump(self, jump: Jump) -> None:
        """Set it, from the machine's time."""
        now = SystemClock().now_utc()
        self._put(round((jump(now) - now).total_seconds()))

    def _put(self, seconds: int) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(f"{seconds:+d}\n", encoding="ascii")
        part.replace(self._file)


@contextmanager
def site_with_clock(folder: Path, library: Path) -> Iterator[tuple[Site, SetClock]]:
    """The real watcher, with a clock that may be set."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = SetClock(folder / "faketime", library)
    settings = {"SCANSIDE__INTAKE__SERIES_QUIET_S": str(QUIET_S), **clock.environment()}
    with Site(folder, **settings) as site:
        yield site, clock


def series_across(site: Site, clock: SetClock, jump: Jump, *, series: int) -> list[str]:
    """Half a series, the clock is set, the other half, the clock is set right: what went wrong."""
    inbox = site.layout.inbox
    before = site.landed()
    for index in range(2 * HALF):
        if index == HALF:
            site.wait(lambda: site.landed() >= before + HALF, PATIENCE_S)
            clock.jump(jump)
            site.pause(QUIET_S / 2)
        (inbox / f"{series}_{index}.dcm").write_bytes(tiny_slice(index, series=series))
    site.wait(lambda: site.landed() >= before + 2 * HALF, PATIENCE_S)
    clock.jump(lambda now: now)  # and back again, in the middle of its quiet time
    uid = f"2.25.7.{series}"
    rows: list[Any] = []

    def settled() -> bool:
        rows[:] = site.database.read(
            "SELECT a.version, a.completeness, count(DISTINCT f.sha256), max(f.landed_ns), min(j.queued_ns)"
            " FROM acquisition a JOIN file f USING (acquisition_id)"
            " JOIN job j ON j.acquisition_id = a.acquisition_id AND j.version = a.version"
            " WHERE a.series_instance_uid = ? AND a.completeness != 'RECEIVING' GROUP BY a.acquisition_id",
            (uid,),
        )
        return bool(rows)

    site.wait(settled, PATIENCE_S)
    if not rows:
        return ["never settled"]
    version, completeness, images, landed_ns, queued_ns = rows[0]
    quiet_s = (queued_ns - landed_ns) / NS_PER_S
    found = []
    if (version, completeness, images) != (1, "QUIET", 2 * HALF):
        found.append(f"version {version} {completeness} of {images} images")
    if quiet_s < QUIET_S:
        found.append(f"settled after {quiet_s:.1f} s of quiet")
    return found


def wall_seen(site: Site) -> datetime:
    """What the watcher took the time to be when the last file landed: proof that its clock was set."""
    rows = site.database.read("SELECT landed_at_utc FROM file ORDER BY rowid DESC LIMIT 1")
    return datetime.fromisoformat(rows[0][0])


def live(folder: Path, library: Path, jumps: list[str]) -> dict[str, Any]:
    """The real watcher, a series for each jump."""
    wrong: list[str] = []
    seen = []
    with site_with_clock(folder, library) as (site, clock):
        for series, name in enumerate(jumps):
            wrong += [f"{name}: {words}" for words in series_across(site, clock, JUMPS[name], series=series)]
            seen.append(wall_seen(site))
            if abs((seen[-1] - JUMPS[name](SystemClock().now_utc())).total_seconds()) > PATIENCE_S * 2:
                wrong.append(f"{name}: the watcher's clock was not set, it said {seen[-1]}")
        shown = [entry.acquisition_id for entry in Board(site.database).entries(limit=len(jumps))]
        came = site.database.read(
            "SELECT acquisition_id FROM file GROUP BY acquisition_id ORDER BY min(noticed_ns) DESC LIMIT ?",
            (len(jumps),),
        )
        if shown != [row[0] for row in came]:
            wrong.append("the board shows exams in another order than they came")
    return {"jumps": len(jumps), "wrong": wrong, "inversions_of_dates": _inversions(seen)}


def _inversions(dates: list[datetime]) -> int:
    return sum(after < before for before, after in itertools.pairwise(dates))


def run(run: Run) -> None:
    """The figure."""
    start_logs("clock", level=logging.ERROR)
    counts = run.counted() or {"schedules": 0, "failures": []}
    if "waits" not in counts:
        counts["waits"], wrong = waits(run.folder / "waits")
        counts["failures"] += wrong
        run.note(counts)
    library = faketime()
    if "live" not in counts and library is not None:
        jumps = list(JUMPS) * max(1, round(PER_JUMP * run.amount))
        shutil.rmtree(run.folder / "live", ignore_errors=True)
        counts["live"] = live(run.folder / "live", library, jumps)
        counts["failures"] += counts["live"]["wrong"]
        run.note(counts)
    total = run.rounds(SCHEDULES // 10)
    while counts["schedules"] < total:
        first, until = counts["schedules"], min(total, counts["schedules"] + PER_STORE)
        chance = random.Random(f"{SEED} {first}")  # noqa: S311 - the same jumps in every run
        disturb = set_by_chance(chance)
        _, wrong, _ = play_many(run.folder / str(first), range(first, until), run.progress, total, disturb)
        counts["failures"] += wrong
        counts["schedules"] = until
        run.note(counts)
    run.progress("clock", total, total)
