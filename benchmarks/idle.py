# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The appliance with its kiosk while nothing comes: processor time and memory of every process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.clock import NS_PER_S
from benchmarks.appliance_run import running_appliance
from benchmarks.arrival import rename_in
from benchmarks.latency import ANSWER_TIMEOUT_S
from benchmarks.memory import MemoryUse, cpu_percent, wait_until_quiet, watched_memory
from benchmarks.plan import Workshop
from benchmarks.studies import RAW, new_arrival, write_radiographs

SEEN_BEFORE: Final = 3
"""Radiographs that were answered before: an idle appliance has done something, and shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleReport:
    """Over `seconds`, after some radiographs."""

    seconds_to_ready: float
    """From the command on an empty data folder, where every model proves itself first, until the worker waits
    for work and all processes show life."""
    seconds: float
    cpu_percent: dict[str, float]
    """Of one core, by process."""
    watcher_and_kiosk_cpu_percent: float
    memory: tuple[MemoryUse, ...]
    watcher_and_kiosk_bytes: int | None
    """Resident, added up; pages that both map count twice. None: the kiosk did not run."""


def measure_idle(workshop: Workshop) -> IdleReport:
    """Answer some radiographs, then wait and look."""
    plan, clock = workshop.plan, workshop.clock
    workshop.say("idle: starting with the kiosk")
    templates = write_radiographs(
        workshop.folder / "templates", rows=plan.rows, columns=plan.columns, names=(RAW,)
    )
    start_ns = clock.monotonic_ns()
    with running_appliance(workshop.folder / "appliance", clock, kiosk=True) as appliance:
        appliance.wait_until_ready()
        ready_ns = clock.monotonic_ns()
        for _ in range(SEEN_BEFORE):
            study = new_arrival((templates[RAW],), workshop.folder / "arrivals")
            closed_ns = rename_in(study, appliance.layout.inbox, clock)
            appliance.wait_for_study(
                study.study_instance_uid, closed_ns=closed_ns, timeout_s=ANSWER_TIMEOUT_S
            )
        wait_until_quiet(appliance.pid, clock)
        workshop.say(f"idle: watching for {plan.idle_s:g} s")
        with watched_memory(appliance.pid, clock) as memory:
            spent = cpu_percent(appliance.pid, clock, seconds=plan.idle_s)
    sizes = {use.role: use.highest_bytes for use in memory.use()}
    return IdleReport(
        seconds_to_ready=round((ready_ns - start_ns) / NS_PER_S, 2),
        seconds=plan.idle_s,
        cpu_percent=spent,
        watcher_and_kiosk_cpu_percent=round(spent.get("watcher", 0.0) + spent.get("kiosk", 0.0), 2),
        memory=memory.use(),
        watcher_and_kiosk_bytes=sizes["watcher"] + sizes["kiosk"] if "kiosk" in sizes else None,
    )
