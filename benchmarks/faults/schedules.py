# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure: whatever the order of arrival, the store holds what the oracle says; what is late is answered."""

from __future__ import annotations

import hashlib
import logging
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, ManualClock
from appliance.domain.job import Lane
from appliance.layout import Layout
from appliance.logs import start_logs
from appliance.store.connection import Database
from benchmarks.faults.figure import Run
from benchmarks.faults.landing_place import LandingPlace
from benchmarks.faults.schedule import QUIET_S, WAIT_S, Door, Oracle, Slice, Step, draw_schedule
from benchmarks.faults.tiny_images import STEP_MM, tiny_slice

SCHEDULES: Final = 10_000
PER_STORE: Final = 200
"""Schedules that share a store: it grows, as a real one does."""
SERIES_PER_SCHEDULE: Final = 4
SEED: Final = 66
STEP_S: Final = 0.5
"""A wait is walked through in such steps, to see when each stack is settled."""
AMENDED_LIMIT_S: Final = 60.0

Disturb = Callable[[ManualClock, Step], None]


class Player:
    """Plays steps on the real lander and gathering, and beside it on the oracle."""

    def __init__(self, place: LandingPlace, disturb: Disturb | None = None) -> None:
        self.place, self.oracle = place, Oracle()
        self._disturb = disturb
        self._ids: dict[tuple[int, str], str] = {}
        self._first: dict[tuple[int, str, int], str] = {}
        """The sha256 of what came first for each place."""
        self._late_since_ns: dict[str, int] = {}
        self.seen: Counter[str] = Counter()
        self.longest_amend_s = 0.0

    def step(self, step: Step) -> None:
        """One step on both."""
        if self._disturb is not None:
            self._disturb(self.place.clock, step)
        self._play(step)
        self.oracle.step(step)
        self.seen[step.door.value] += 1

    def _play(self, step: Step) -> None:
        gathering = self.place.gathering
        if step.door is Door.FILES:
            self._files(step)
        elif step.door in (Door.RELEASED, Door.ABORTED):
            assert step.association is not None
            gathering.association_ended(step.association, released=step.door is Door.RELEASED)
        elif step.door is Door.RESTART:
            self.place.restart()
        else:
            for _ in range(round(WAIT_S[step.door.value] / STEP_S)):
                self.place.clock.advance(STEP_S)
                gathering.settle_quiet()
                self._note_amended()
        self._note_amended()

    def _files(self, step: Step) -> None:
        contents = [_bytes(image) for image in step.slices]
        outcomes = self.place.take(*contents)
        for image, content, outcome in zip(step.slices, contents, outcomes, strict=True):
            self._first.setdefault((*image.stack, image.index), hashlib.sha256(content).hexdigest())
            name = outcome.acquisition_id
            assert name is not None, outcome
            assert self._ids.setdefault(image.stack, name) == name, "one stack, two names"
            if step.association is not None:
                self.place.gathering.carried(step.association, name)
            if self._version(name)[0] > 1 and self._version(name)[1] == "RECEIVING":
                self._late_since_ns.setdefault(name, self.place.clock.monotonic_ns())

    def _note_amended(self) -> None:
        now_ns = self.place.clock.monotonic_ns()
        for name, since_ns in list(self._late_since_ns.items()):
            if self._version(name)[1] != "RECEIVING":
                del self._late_since_ns[name]
                self.longest_amend_s = max(self.longest_amend_s, (now_ns - since_ns) / NS_PER_S)
                self.seen["amended"] += 1

    def _version(self, name: str) -> tuple[int, str]:
        rows = self.place.database.read(
            "SELECT version, completeness FROM acquisition WHERE acquisition_id = ?", (name,)
        )
        return rows[0][0], rows[0][1]

    def differences(self) -> list[str]:
        """In what store and oracle differ, in words."""
        found = []
        if len(set(self._ids.values())) != len(self.oracle.stacks):
            found.append(f"{len(set(self._ids.values()))} acquisitions for {len(self.oracle.stacks)} stacks")
        for key, stack in self.oracle.stacks.items():
            held = self.place.landings.acquisition(self._ids[key])
            assert held is not None
            label = (stack.label or "receiving").upper()
            if (held.version, held.completeness.value) != (stack.version, label):
                found.append(
                    f"{key}: version {held.version} {held.completeness.value} ({held.evidence}),"
                    f" not version {stack.version} {label}"
                )
            if len(held.instances) != len(stack.contents):
                found.append(f"{key}: {len(held.instances)} images, not {len(stack.contents)}")
            if stack.label is not None:
                shown = [
                    (round((entry.position_mm or 0.0) / STEP_MM), held.instances[entry.instance].sha256)
                    for entry in held.slices
                ]
                if shown != [(place, self._first[(*key, place)]) for place in sorted(stack.first)]:
                    found.append(f"{key}: the slices are not in order, or not those that came first")
        return found + self._wrong_jobs()

    def _wrong_jobs(self) -> list[str]:
        names = {name: key for key, name in self._ids.items()}
        rows = self.place.database.read(
            "SELECT acquisition_id, version, count(*), count(DISTINCT lane) FROM job GROUP BY 1, 2"
        )
        lanes = len(Lane)
        queued = {(names[name], version): counts for name, version, *counts in rows if name in names}
        wrong = [f"{key}: queued {counts}" for key, counts in queued.items() if counts != [lanes, lanes]]
        if queued.keys() != self.oracle.queued:
            wrong.append(f"queued {sorted(queued)}, not {sorted(self.oracle.queued)}")
        return wrong


def play(place: LandingPlace, steps: tuple[Step, ...], disturb: Disturb | None = None) -> Player:
    """Play a schedule; compare with `differences`."""
    player = Player(place, disturb)
    for step in steps:
        player.step(step)
    return player


def place_in(folder: Path, database: Database, clock: ManualClock) -> LandingPlace:
    """A landing place on a store that is open."""
    return LandingPlace(Layout(data=folder), database, clock, series_quiet_s=QUIET_S)


def run(run: Run) -> None:
    """The figure. Interrupted runs go on with the next store."""
    start_logs("schedules", level=logging.ERROR)
    total = run.rounds(SCHEDULES)
    counts = run.counted() or {"schedules": 0, "steps": {}, "longest_amend_s": 0.0, "failures": []}
    counts["seed"] = SEED
    while counts["schedules"] < total:
        first, until = counts["schedules"], min(total, counts["schedules"] + PER_STORE)
        seen, failures, longest_s = play_many(
            run.folder / str(first), range(first, until), run.progress, total
        )
        counts["steps"] = dict(Counter(counts["steps"]) + seen)
        counts["failures"] += failures
        counts["longest_amend_s"] = max(counts["longest_amend_s"], longest_s)
        counts["schedules"] = until
        if counts["longest_amend_s"] > AMENDED_LIMIT_S:
            counts["failures"].append(f"amended after {counts['longest_amend_s']} s")
        run.note(counts)
    run.progress("schedules", total, total)


def play_many(
    folder: Path,
    numbers: range,
    progress: Callable[[str, int, int], None],
    total: int,
    disturb: Disturb | None = None,
) -> tuple[Counter[str], list[str], float]:
    """Play schedules by number on one new store, which is removed. Counts, failures, longest amendment."""
    layout, clock = Layout(data=folder), ManualClock()
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was interrupted
    layout.data.mkdir(parents=True)
    layout.create()
    seen: Counter[str] = Counter()
    failures: list[str] = []
    longest_s = 0.0
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        place = place_in(folder, database, clock)
        for number in numbers:
            progress("schedules", number, total)
            chance = random.Random(f"{SEED} {number}")  # noqa: S311 - the same schedules in every run
            steps = draw_schedule(chance, first_series=number * SERIES_PER_SCHEDULE)
            player = play(place, steps, disturb)
            seen += player.seen
            longest_s = max(longest_s, player.longest_amend_s)
            failures += [f"schedule {number}: {words}" for words in player.differences()]
    shutil.rmtree(folder)
    return seen, failures, longest_s


def _bytes(image: Slice) -> bytes:
    return tiny_slice(
        image.index,
        series=image.series,
        content=image.content,
        patient=image.patient,
        announced=image.announced,
        rewritten=image.rewritten,
    )
