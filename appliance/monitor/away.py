# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""For how long receivers have been away, whatever somebody does to the clock meanwhile."""

from __future__ import annotations

from datetime import datetime

from appliance.clock import NS_PER_S, Clock


class AwayTimes:
    """The store's date of the first failure is believed once, when it is first seen; then time is counted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, tuple[datetime, int]] = {}

    def away_s(self, name: str, away_since_utc: datetime | None) -> float:
        """Seconds since the first failure in a row; 0 when it is not away."""
        if away_since_utc is None:
            self._since.pop(name, None)
            return 0.0
        now_ns = self._clock.monotonic_ns()
        seen = self._since.get(name)
        if seen is None or seen[0] != away_since_utc:
            before_s = max(0.0, (self._clock.now_utc() - away_since_utc).total_seconds())
            seen = self._since[name] = away_since_utc, now_ns - round(before_s * NS_PER_S)
        return (now_ns - seen[1]) / NS_PER_S
