# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Updates of the software: 1,000 changed ones, and every step cut short at every call that changes the disk.

Promised: each changed update is refused before anything is unpacked or run; after every cut the old software
boots or the new one, never none, and the step is possible again. `update_run` cuts a running appliance.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from appliance.clock import SystemClock
from appliance.errors import ScansideError, UpdateError
from appliance.updates import install as installing
from appliance.updates.choice import read_choice, write_choice
from benchmarks.faults.figure import Counts, Run
from benchmarks.faults.plain_words import faults_of_error
from benchmarks.faults.update_bundles import tiny, trust, version_of
from benchmarks.faults.update_changes import CHANGES, FLOOR, SERVED, Scene
from benchmarks.faults.update_cuts import CUTS, boots, cut, points_of

CHANGED: Final = 1_000
BATCH: Final = 50
SEED: Final = 20261202
RUNS_SOMETHING: Final = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"})
"""Python's own audit events of what starts a program."""


class Watch:
    """Which programs were started while an update was looked at."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        del arguments
        if event in RUNS_SOMETHING:
            self.seen.add(event)


def run(run: Run) -> None:
    """The whole figure; it goes on where it was interrupted."""
    counts = run.counted()
    failures: list[str] = counts.setdefault("failures", [])
    total = run.rounds(CHANGED)
    counts["promised_updates"] = total
    watch = Watch()
    root = device(run.folder)
    while (done := counts.get("refused", 0) + counts.get("not_refused", 0)) < total:
        failures += change_some(run.folder, root, watch, counts, first=done, count=min(BATCH, total - done))
        run.note(counts)
        run.progress("changed updates", done, total)
    for what in CUTS:
        cut_all(run, counts, what)


def cut_all(run: Run, counts: Counts, what: str) -> None:
    """One step, cut at each of its calls; it goes on behind the last cut that was noted."""
    cuts: dict[str, int] = counts.setdefault("cuts", {})
    points: dict[str, int] = counts.setdefault("points", {})
    if what in points and cuts[what] >= points[what]:
        return
    folder, made = run.folder / "cut", run.folder / "made"
    chosen = points_of(folder, what, made)[:: max(1, round(1 / run.amount))]
    points[what] = len(chosen)
    if not chosen:
        counts["failures"].append(f"{what} does not run")
    for number in range(cuts.get(what, 0), len(chosen)):
        counts["failures"] += cut(folder, what, made, chosen[number])
        cuts[what] = number + 1
        run.note(counts)
        run.progress(f"cutting {what}", number + 1, len(chosen))


def device(folder: Path) -> Path:
    """A root on which release SERVED runs, with FLOOR as its security floor."""
    root = folder / "device"
    shutil.rmtree(root, ignore_errors=True)
    clock = SystemClock()
    installing.install(
        tiny(SERVED, folder / "served", floor=FLOOR),
        root=root,
        trust=trust(),
        clock=clock,
        progress=lambda _: None,
    )
    choice = read_choice(root)
    assert choice is not None
    assert (choice.highest, choice.floor) == (SERVED, FLOOR)
    write_choice(root, choice)
    return root


def change_some(
    folder: Path, root: Path, watch: Watch, counts: Counts, *, first: int, count: int
) -> list[str]:
    """Change, offer, count. The numbers name the changes: the same again, the same updates."""
    changed = folder / "changed"
    shutil.rmtree(changed, ignore_errors=True)
    changed.mkdir(parents=True)
    by_kind: Counter[str] = Counter(counts.setdefault("refused_by_kind", {}))
    failures = []
    for number in range(first, first + count):
        change = CHANGES[number % len(CHANGES)]
        place = changed / f"{number:05d}"
        change(Scene(good=folder / "made", place=place, chance=random.Random(SEED + number)))  # noqa: S311
        wrong = offer(place, root, watch)
        if wrong:
            counts["not_refused"] = counts.get("not_refused", 0) + 1
            failures.append(f"{change.__name__} {number:05d}: {wrong}")
        else:
            counts["refused"] = counts.get("refused", 0) + 1
            by_kind[change.__name__] += 1
    counts["refused_by_kind"] = dict(by_kind)
    if (version := boots(root)) != version_of(SERVED):
        failures.append(f"after {first + count} changed updates {version or 'nothing'} boots")
    return failures


def offer(place: Path, root: Path, watch: Watch) -> str:
    """Let the device install it: "" when it was refused as it should be, else what went wrong."""
    before = names_under(root)
    watch.seen.clear()
    try:
        installing.install(place, root=root, trust=trust(), clock=SystemClock(), progress=lambda _: None)
    except UpdateError as error:
        faults = faults_of_error(error)
        if faults:
            return f"refused in words that nobody understands: {faults}"
    except (ScansideError, OSError) as error:
        return f"another error: {error}"
    else:
        return "it was installed"
    if watch.seen:
        return f"something was run before it was refused: {sorted(watch.seen)}"
    if names_under(root) != before:
        return "it left something behind"
    return ""


def names_under(root: Path) -> set[str]:
    """Every file under it, but for locks."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix != ".lock"}
