# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure: a slice that comes after its series was answered brings a new answer, from the whole appliance."""

from __future__ import annotations

import shutil
from typing import Final

from pydicom import dcmread

from appliance.clock import NS_PER_S, SystemClock
from appliance.domain.acquisition import Completeness
from appliance.domain.job import Lane
from appliance.selftest.phantom_ct import CtPlan, write_ct
from benchmarks.appliance_run import Answered, running_appliance
from benchmarks.faults.figure import Run

SERIES: Final = 5
SLICES: Final = 20
LATE: Final = 9
"""The slice that comes late: from the middle, so that the first answer says that one is missing."""
LIMIT_S: Final = 60.0
PATIENCE_S: Final = 600.0


def run(run: Run) -> None:
    """The figure."""
    total = run.rounds(SERIES)
    counts = run.counted() or {"late_to_answer_s": {lane.value: [] for lane in Lane}, "failures": []}
    clock = SystemClock()
    with running_appliance(run.folder / "data", clock) as appliance:
        appliance.wait_until_ready()
        for number in range(total):
            run.progress("late slices", number, total)
            folder = run.folder / f"ct{number}"
            paths = write_ct(folder, CtPlan(slices=SLICES, seed=number + 1)).paths
            study = str(dcmread(paths[0], stop_before_pixels=True).StudyInstanceUID)
            late = folder.parent / f"late{number}.dcm"
            paths[LATE].rename(late)
            inbox = appliance.layout.inbox
            shutil.move(folder, inbox / folder.name)
            first = appliance.wait_for_study(study, closed_ns=clock.monotonic_ns(), timeout_s=PATIENCE_S)
            late_ns = clock.monotonic_ns()
            late.rename(inbox / late.name)
            answered = Answered(entry=first.entry, closed_ns=late_ns)

            def amended(
                study: str = study, late_ns: int = late_ns, before: int = first.entry.version
            ) -> bool:
                nonlocal answered
                answered = appliance.wait_for_study(study, closed_ns=late_ns, timeout_s=PATIENCE_S)
                return answered.entry.version > before

            appliance.wait_for(amended, timeout_s=PATIENCE_S, what="answer the late slice")
            for lane in Lane:
                took_s = (answered.committed_ns(lane) - late_ns) / NS_PER_S
                counts["late_to_answer_s"][lane.value].append(round(took_s, 1))
            counts["failures"] += _wrong(first, answered, counts["late_to_answer_s"]["quality"][-1])
            run.note(counts)
    run.progress("late slices", total, total)


def _wrong(first: Answered, answered: Answered, took_s: float) -> list[str]:
    found = []
    if first.entry.completeness is not Completeness.INCOMPLETE:
        found.append(f"a series with a gap was called {first.entry.completeness.value}")
    if answered.entry.completeness is Completeness.INCOMPLETE:
        found.append(f"a whole series was called incomplete: {answered.entry.evidence}")
    return [*found, *([f"answered after {took_s} s"] if took_s > LIMIT_S else [])]
