# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept for some days must not vanish because somebody, or a time server, has set the clock.

Dates in the store are for people; they are the only ones that survive a boot, so what is kept for days is
counted by them. When the wall clock has moved against the monotonic one, dates of before cannot be told from
old ones any more: then everything begins its days anew.
"""

from __future__ import annotations

from typing import Final

from appliance.clock import NS_PER_S, Clock

SET_BY_S: Final = 3600.0
"""A clock that is only kept right drifts by seconds a day and is stepped by less."""


class WallClockSteps:
    """Whether the wall clock was set. One thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_s = self._offset()

    def was_set(self) -> bool:
        """Since this was made, or was last asked."""
        before_s, self._offset_s = self._offset_s, self._offset()
        return abs(self._offset_s - before_s) > SET_BY_S

    def _offset(self) -> float:
        return self._clock.now_utc().timestamp() - self._clock.monotonic_ns() / NS_PER_S
