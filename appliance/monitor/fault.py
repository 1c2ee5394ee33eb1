# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Why a process could not start, in words, as a file under `run/` that outlives it.

A process that ends at once gives no heartbeat; without this file the screen could only say that it is silent.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from appliance.clock import Clock
from appliance.domain.record import from_json, to_json
from appliance.errors import ScansideError
from appliance.monitor.signs import clear_sign, read_signs, write_sign

SETTINGS: Final = "settings"
"""Not a process: the name under which it is told that the last good settings serve."""
_ENDING: Final = ".fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What stands in the way of a process, and what to do about it."""

    process: str
    what: str
    remedy: str
    at_utc: datetime


def leave_fault(run: Path, process: str, *, what: str, remedy: str, clock: Clock) -> None:
    """Write it down for those who look. Never raises: it is said on the way out."""
    fault = Fault(process=process, what=what, remedy=remedy, at_utc=clock.now_utc())
    with suppress(OSError):
        run.mkdir(parents=True, exist_ok=True)
    write_sign(run, f"{process}{_ENDING}", to_json(fault))


def clear_fault(run: Path, process: str) -> None:
    """The process runs. Never raises."""
    clear_sign(run, f"{process}{_ENDING}")


def read_fault(run: Path, process: str) -> Fault | None:
    """Why the process did not start last time; None when it did, or its file is not whole."""
    for text in read_signs(run, f"{process}{_ENDING}"):
        with suppress(ValueError):
            return from_json(Fault, text)
    return None


def fault_of(error: Exception) -> tuple[str, str]:
    """What and remedy of an error that ended a process. Others than our own are named, never quoted."""
    if isinstance(error, ScansideError):
        return error.what, error.remedy
    if isinstance(error, OSError):
        return f"The system refused: {error.strerror or type(error).__name__}.", "Check disk and rights."
    return f"A fault of the software ({type(error).__name__}).", "Call service; the log says where."
