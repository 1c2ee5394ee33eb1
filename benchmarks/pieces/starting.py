# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From the command to the first verdict: once on an empty data folder, then with what that one had proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.clock import NS_PER_S
from appliance.domain.job import Lane
from benchmarks.appliance_run import running_appliance
from benchmarks.arrival import rename_in
from benchmarks.plan import Workshop
from benchmarks.spread import Spread, spread_of
from benchmarks.studies import RAW, new_arrival, write_radiographs

TIMEOUT_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartReport:
    """A radiograph lies in the inbox when the command is given."""

    first_s: float
    """To the quality verdict, where every network proves itself on every engine first."""
    first_all_s: float
    """To the last answer."""
    again_s: Spread
    """To the quality verdict on later starts."""
    again_all_s: Spread


def measure_starting(workshop: Workshop) -> StartReport:
    """`plan.starts` later starts after the first one."""
    plan, clock = workshop.plan, workshop.clock
    file = write_radiographs(workshop.folder / "dx", rows=plan.rows, columns=plan.columns, names=(RAW,))[RAW]
    verdicts_s, answers_s = [], []
    data = workshop.folder / "appliance"
    for number in range(1 + plan.starts):
        workshop.say(f"start {number + 1}")
        study = new_arrival((file,), workshop.folder / "arrivals")
        (data / "inbox").mkdir(parents=True, exist_ok=True)
        rename_in(study, data / "inbox", clock)
        start_ns = clock.monotonic_ns()
        with running_appliance(data, clock) as appliance:
            appliance.wait_for(appliance.layout.database.exists, timeout_s=TIMEOUT_S, what="make its store")
            answered = appliance.wait_for_study(
                study.study_instance_uid, closed_ns=start_ns, timeout_s=TIMEOUT_S
            )
        verdicts_s.append((answered.committed_ns(Lane.QUALITY) - start_ns) / NS_PER_S)
        answers_s.append((answered.committed_ns(Lane.TRIAGE) - start_ns) / NS_PER_S)
        for path in study.files:
            path.unlink()
    return StartReport(
        first_s=round(verdicts_s[0], 2),
        first_all_s=round(answers_s[0], 2),
        again_s=spread_of(verdicts_s[1:]),
        again_all_s=spread_of(answers_s[1:]),
    )
