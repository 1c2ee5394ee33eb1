# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Counts who is turned away, so that it is said when it starts and not at every knock."""

from __future__ import annotations

import threading
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.domain.turned_away import Bar, TurnedAway

QUIET_S: Final = 3600.0
"""Who has not been turned away for this long starts anew."""
MOST_KEPT: Final = 256
"""Machines and reasons; a flood of addresses must not fill the memory. The oldest goes."""

_log = structlog.get_logger(__name__)


class Refusals:
    """Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, Bar], TurnedAway] = {}

    def add(self, host: str, bar: Bar, *, ae_title: str = "") -> None:
        """One more. Said in the log at the 1st, 10th, 100th ... of a machine and a reason."""
        now_ns = self._clock.monotonic_ns()
        title = "".join(character for character in ae_title if character.isprintable())
        with self._lock:
            before = self._kept.pop((host, bar), None)
            count = 1 if before is None or now_ns - before.last_ns > QUIET_S * NS_PER_S else before.count + 1
            if len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[host, bar] = TurnedAway(
                host=host, bar=bar, ae_title=title, count=count, last_ns=now_ns
            )
        if str(count).strip("0") == "1":
            _log.warning(
                "turned away", host=host, ae_title=title, reason=bar.words, count=count, remedy=bar.remedy
            )

    def recent(self) -> tuple[TurnedAway, ...]:
        """Those of the last hour, the latest last."""
        oldest_ns = self._clock.monotonic_ns() - QUIET_S * NS_PER_S
        with self._lock:
            return tuple(one for one in self._kept.values() if one.last_ns >= oldest_ns)
