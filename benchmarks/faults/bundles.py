# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Model bundles that somebody has changed, 1,000 of them, and a choice of model cut short at every call.

Promised: each changed bundle is refused before anything parses it, and after every cut the old model serves
or the new one, never none; the way back takes less than a minute. What is read is the shipped bundle of the
denoiser, so that the signatures are those of real keys.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from appliance.clock import NS_PER_S, SystemClock
from benchmarks.faults.bundle_changes import CHANGES, Scene, shipped
from benchmarks.faults.bundle_cuts import CUTS, cut_everywhere
from benchmarks.faults.figure import Counts, Run

CHANGED: Final = 1_000
BATCH: Final = 50
ROLLBACK_MOST_S: Final = 60.0
CHILD: Final = "benchmarks.faults.bundle_child"
SEED: Final = 20261201


def run(run: Run) -> None:
    """The whole figure; it goes on where it was interrupted."""
    counts = run.counted()
    failures: list[str] = counts.setdefault("failures", [])
    total = run.rounds(CHANGED)
    counts["promised_bundles"] = total
    while counts.get("refused", 0) + counts.get("not_refused", 0) < total:
        done = counts.get("refused", 0) + counts.get("not_refused", 0)
        failures += change_some(run.folder / "changed", counts, first=done, count=min(BATCH, total - done))
        run.note(counts)
        run.progress("changed bundles", done, total)
    if "cuts" not in counts:
        failures += cut(run, counts, every=max(1, round(1 / run.amount)))
        run.note(counts)


def change_some(folder: Path, counts: Counts, *, first: int, count: int) -> list[str]:
    """Change, let a child read, count. The numbers name the changes: the same again, the same bundles."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kinds: dict[str, str] = {}
    for number in range(first, first + count):
        change = CHANGES[number % len(CHANGES)]
        name = f"{number:05d}"
        kinds[name] = change.__name__
        change(Scene(files=shipped(), folder=folder / name, chance=random.Random(SEED + number)))  # noqa: S311
    answers = read_in_child(folder)
    failures = []
    by_kind: dict[str, int] = counts.setdefault("refused_by_kind", {})
    for name, kind in kinds.items():
        answer = answers.get(name, {"refused": False, "seen": [], "words": "the child died"})
        if answer["refused"] and not answer["seen"]:
            counts["refused"] = counts.get("refused", 0) + 1
            by_kind[kind] = by_kind.get(kind, 0) + 1
        else:
            counts["not_refused"] = counts.get("not_refused", 0) + 1
            failures.append(f"{kind} {name}: {answer['words']}, seen: {answer['seen']}")
    return failures


def read_in_child(folder: Path) -> dict[str, Any]:
    """Every bundle in the folder through the appliance's reader, in a process that is listened to."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-m", CHILD, str(folder)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    answers: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        answers.update(json.loads(line))
    return answers


def cut(run: Run, counts: Counts, *, every: int) -> list[str]:
    """Installing, choosing and going back, killed at each of their calls."""
    failures: list[str] = []
    clock = SystemClock()
    counts["cuts"] = {}
    for what in CUTS:
        cut_at, lost = cut_everywhere(
            run.folder / f"cut-{what}", what, every=every, progress=lambda d, t: run.progress("cutting", d, t)
        )
        counts["cuts"][what] = cut_at
        failures += lost
    started_ns = clock.monotonic_ns()
    failures += cut_everywhere(run.folder / "back", "roll_back", every=0, progress=lambda *_: None)[1]
    seconds = (clock.monotonic_ns() - started_ns) / NS_PER_S
    counts["rollback_s"] = round(seconds, 2)
    if seconds > ROLLBACK_MOST_S:
        failures.append(f"going back took {seconds:.1f} s")
    return failures
