# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A device that keeps going down soon after its start does less, until it stays up: a counter on the disk.

    starts in a row that did not stay up      what runs
    fewer than 3                              everything
    3, 4                                      no GPU, no triage, no denoising: these wait in the queue
    5 and more                                safe mode: images are received and shown, nothing else runs

Counted is what began and neither stayed up for GOOD_AFTER_S nor was stopped by somebody: crashes and cuts of
power. Nothing here reads the wall clock. Whoever stays up for GOOD_AFTER_S goes one level back up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from appliance.clock import Clock
from appliance.domain.record import from_json, to_json
from appliance.durable import write_durably
from appliance.monitor.fault import clear_fault, leave_fault

WITHOUT_AI_AFTER: Final = 3
SAFE_AFTER: Final = 5
GOOD_AFTER_S: Final = 300.0
"""Long enough for every model to be proven and loaded and for a first image on a slow device."""
NOTICE: Final = "safe-mode"
"""Name under which the screen is told (monitor.fault)."""
_OFF: Final = "Call service: the log says why. `scanside safe-mode off` ends it at once."


class Level(IntEnum):
    """How much of the appliance runs."""

    NORMAL = 0
    WITHOUT_AI = 1
    SAFE = 2


_WORDS: Final = {
    Level.WITHOUT_AI: "It went down {starts} times in a row. It only checks images; triage waits.",
    Level.SAFE: "It went down {starts} times in a row. It only receives and shows: check yourself.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Boots:
    """The counter."""

    bad_starts: int = 0
    """In a row: begun, and not known to have stayed up."""

    @property
    def level(self) -> Level:
        """What may run."""
        if self.bad_starts > SAFE_AFTER:
            return Level.SAFE
        return Level.WITHOUT_AI if self.bad_starts > WITHOUT_AI_AFTER else Level.NORMAL


class BootCounter:
    """The counter of one data folder. Never raises: a full disk must not keep the device from starting."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Boots:
        """As it stands; zero when there is none or it is not whole."""
        try:
            return from_json(Boots, self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Boots()

    def begin(self) -> Boots:
        """A start: bad until it is known to be good."""
        return self._write(self.read().bad_starts + 1)

    def was_stopped(self) -> None:
        """By a person, or by the service manager: that says nothing about the start."""
        self._write(max(0, self.read().bad_starts - 1))

    def stayed_up(self) -> Boots:
        """For GOOD_AFTER_S: one level back up. The start that tries it counts as one that may go wrong."""
        back = {Level.SAFE: SAFE_AFTER, Level.WITHOUT_AI: 1, Level.NORMAL: 0}
        return self._write(back[self.read().level])

    def reset(self) -> None:
        """A person has mended it."""
        self._write(0)

    def _write(self, bad_starts: int) -> Boots:
        boots = Boots(bad_starts=bad_starts)
        try:
            write_durably(self._file, to_json(boots).encode("utf-8"))
        except OSError:
            return boots  # it is counted for this start at least
        return boots


def say_level(run: Path, boots: Boots, *, clock: Clock) -> None:
    """Leave the notice for the screen, or take it away."""
    words = _WORDS.get(boots.level)
    if words is None:
        clear_fault(run, NOTICE)
        return
    what = words.format(starts=boots.bad_starts - 1)
    leave_fault(run, NOTICE, what=what, remedy=_OFF, clock=clock)
