# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who is turned away at the DICOM door, as a file under `run/` that the screen and `doctor` read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.domain.record import from_json, to_json
from appliance.domain.turned_away import TurnedAway

WRITE_INTERVAL_S: Final = 2.0
SHOWN_S: Final = 3600.0
"""What ended this long ago is no longer news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    boot_id: str
    turned_away: tuple[TurnedAway, ...]


class TurnedAwayFile:
    """Writes it when there is something new, not at every knock."""

    def __init__(self, run: Path, clock: Clock) -> None:
        self._file = _file(run)
        self._clock = clock
        self._written: tuple[TurnedAway, ...] | None = None
        self._written_ns = 0

    def write(self, turned_away: tuple[TurnedAway, ...]) -> None:
        """Never raises: a full disk must not stop the intake."""
        now_ns = self._clock.monotonic_ns()
        if turned_away == self._written or now_ns - self._written_ns < WRITE_INTERVAL_S * NS_PER_S:
            return
        self._written, self._written_ns = turned_away, now_ns
        part = self._file.with_suffix(".part")
        sheet = _Sheet(boot_id=self._clock.boot_id(), turned_away=turned_away)
        try:
            part.write_text(to_json(sheet), encoding="utf-8")
            part.replace(self._file)
        except OSError:
            self._written = None


def repeatedly_turned_away(run: Path, clock: Clock) -> tuple[TurnedAway, ...]:
    """Machines that were turned away again and again during the last hour of this boot."""
    try:
        sheet = from_json(_Sheet, _file(run).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    if sheet.boot_id != clock.boot_id():
        return ()
    oldest_ns = clock.monotonic_ns() - SHOWN_S * NS_PER_S
    return tuple(one for one in sheet.turned_away if one.is_repeated and one.last_ns >= oldest_ns)


def _file(run: Path) -> Path:
    return run / "turned-away.json"
