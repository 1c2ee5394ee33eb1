# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How often this boot the GPU was lost: once, a new process gets it back; again, the processor serves.

A file under `run/`, because the process that notes it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.domain.record import from_json, to_json
from appliance.durable import write_whole
from appliance.errors import EngineLostError

LOSSES_BEFORE_GIVING_UP: Final = 2
"""So that an image that was there at each loss is answered by its third try, the last one (max_attempts)."""
WINDOW_S: Final = 3600.0
"""Losses are counted over the last hour; after it, the next start of the worker tries the GPU again."""
UNKNOWN: Final = "the GPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A device was lost."""

    engine: str
    what: str
    at_ns: int
    """On the monotonic clock."""
    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Losses:
    losses: tuple[Loss, ...] = ()


class LostEngines:
    """Reads and writes the losses of one data folder."""

    def __init__(self, run: Path, clock: Clock) -> None:
        self._file = run / "lost-engines.json"
        self._clock = clock

    def note(self, error: EngineLostError) -> None:
        """One more. Never raises: the process ends in any case."""
        loss = Loss(
            engine=error.engine or UNKNOWN,
            what=error.what,
            at_ns=self._clock.monotonic_ns(),
            boot_id=self._clock.boot_id(),
        )
        try:
            write_whole(self._file, to_json(_Losses(losses=(*self._recent(), loss))).encode("utf-8"))
        except OSError:
            return  # a full disk: the GPU is tried again and again, and the supervisor slows that down

    def given_up(self) -> dict[str, str]:
        """Engines that are not to be tried again now, and why."""
        recent = self._recent()
        engines = {loss.engine for loss in recent}
        return {
            engine: f"lost {len(lost)} times within an hour, last: {lost[-1].what}"
            for engine in sorted(engines)
            if len(lost := [loss for loss in recent if loss.engine == engine]) >= LOSSES_BEFORE_GIVING_UP
        }

    def _recent(self) -> tuple[Loss, ...]:
        try:
            losses = from_json(_Losses, self._file.read_text(encoding="utf-8")).losses
        except (OSError, ValueError):
            return ()
        since_ns = self._clock.monotonic_ns() - WINDOW_S * NS_PER_S
        boot_id = self._clock.boot_id()
        return tuple(loss for loss in losses if loss.boot_id == boot_id and loss.at_ns >= since_ns)
