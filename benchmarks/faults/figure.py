# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a figure is: a fault put in many times, and counts that say what became of the device.

A figure is a file in this folder with one function `run(Run) -> None`, named like the figure. It asks `Run`
what an earlier, interrupted run has counted already, and notes what it counts after each round, so that a run
of hours survives its own plug being pulled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from appliance.durable import write_durably

Counts: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a figure."""

    folder: Path
    """To work in; empty at the start of a run, as it was left when a run goes on."""
    report: Path
    """JSON; what was counted so far."""
    amount: float
    """1.0: what the figure promises. Less: a part of it."""
    progress: Callable[[str, int, int], None]
    """What is being done, how much of it is done, how much there is."""

    def rounds(self, promised: int) -> int:
        """How many rounds this run has, at least one."""
        return max(1, round(promised * self.amount))

    def counted(self) -> Counts:
        """Of an earlier run that was interrupted; empty at the start."""
        if not self.report.exists():
            return {}
        counts: Counts = json.loads(self.report.read_text(encoding="utf-8"))
        return counts

    def note(self, counts: Counts) -> None:
        """Keep the counts so far."""
        write_durably(self.report, (json.dumps(counts, indent=2, sort_keys=True) + "\n").encode())
