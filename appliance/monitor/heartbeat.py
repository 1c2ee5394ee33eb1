# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Signs of life: each process writes a small file under `run/`, and anyone may read it.

A beat comes from the process's main loop, never from a helper thread: it proves that work goes on. It is a
file and not a row, because a row would cost a flush of the disk every second.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.monitor.fault import clear_fault
from appliance.monitor.service_manager import tell_alive, tell_ready
from appliance.monitor.signs import read_signs, write_sign

BEAT_INTERVAL_S: Final = 1.0
_ENDING: Final = ".beat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The last sign of life of a process."""

    process: str
    pid: int
    age_s: float
    """Since the beat, on the monotonic clock; infinite when it is of another boot."""
    state: str
    """In words: what it is doing, or what is in its way."""
    starts: int
    """How often the process came to its first beat on this data folder."""
    budget_s: float | None = None
    """It promised another sign within this; None: it promised nothing."""


class Heartbeat:
    """Writes the beats of one process."""

    def __init__(self, run: Path, process: str, clock: Clock) -> None:
        self._run = run
        self._process = process
        self._clock = clock
        self._last_ns = 0
        self._state = ""
        self._starts = 0
        self._budget_s: float | None = None

    def beat(self, state: str, *, budget_s: float | None = None) -> None:
        """Say so, at most once per BEAT_INTERVAL_S unless the state changes. Never raises.

        `budget_s`: the next sign comes within this, or something hangs.
        """
        now_ns = self._clock.monotonic_ns()
        said = (state, budget_s)
        if said == (self._state, self._budget_s) and now_ns - self._last_ns < BEAT_INTERVAL_S * NS_PER_S:
            return
        if self._last_ns == 0:
            clear_fault(self._run, self._process)  # it lives: what kept it from starting is over
            before = read_beat(self._run, self._process, self._clock)
            self._starts = 1 + (before.starts if before is not None else 0)
            tell_ready()
        tell_alive(state)
        self._last_ns, self._state, self._budget_s = now_ns, state, budget_s
        content = {
            "process": self._process,
            "pid": os.getpid(),
            "beat_ns": now_ns,
            "boot_id": self._clock.boot_id(),
            "state": state,
            "starts": self._starts,
            "budget_s": budget_s,
        }
        write_sign(self._run, f"{self._process}{_ENDING}", json.dumps(content))


def read_beat(run: Path, process: str, clock: Clock) -> Beat | None:
    """The last beat; None when there never was one, or its file is not whole."""
    beats = [_beat(text, process, clock) for text in read_signs(run, f"{process}{_ENDING}")]
    return min((beat for beat in beats if beat is not None), key=lambda beat: beat.age_s, default=None)


def _beat(text: str, process: str, clock: Clock) -> Beat | None:
    try:
        content = json.loads(text)
        same_boot = content["boot_id"] == clock.boot_id()
        age_s = (clock.monotonic_ns() - content["beat_ns"]) / NS_PER_S if same_boot else float("inf")
        return Beat(
            process=process,
            pid=content["pid"],
            age_s=age_s,
            state=content["state"],
            starts=content.get("starts", 1),
            budget_s=content.get("budget_s"),
        )
    except (ValueError, KeyError, TypeError):
        return None
