# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the clock on the wall can be believed: set from the network, and moved by how much since a start.

Only people read that clock (clock.py); but a wrong one dates images wrongly for everyone who reads them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock

BUILD_YEAR: Final = 2026
"""A clock that shows an earlier year is wrong."""
TIMESYNC: Final = Path("/run/systemd/timesync")
"""systemd-timesyncd's run folder; `synchronized` appears in it at the first answer of a time server."""

CLOSE_TOGETHER_NS: Final = NS_PER_S // 100
"""Two readings further apart than this say little: on a machine with more to do than it can, seconds may lie
between them, and the clock would seem to have been moved by as much."""
MOST_READINGS: Final = 20


def network_time(folder: Path = TIMESYNC) -> bool | None:
    """Whether the clock was set from the network since the boot; None: this device does not tell."""
    try:
        return (folder / "synchronized").exists() if folder.is_dir() else None
    except OSError:
        return None


class ClockWatch:
    """How far the wall clock has moved against the monotonic one since this was made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_s = self._offset()

    def moved_s(self) -> float:
        """Seconds; positive: somebody or something set it forward."""
        return self._offset() - self._offset_s

    def _offset(self) -> float:
        width_ns, offset_s = self._reading()
        for _ in range(MOST_READINGS):
            if width_ns <= CLOSE_TOGETHER_NS:
                break
            width_ns, offset_s = min((width_ns, offset_s), self._reading())
        return offset_s

    def _reading(self) -> tuple[int, float]:
        """How long it took to read both clocks, in ns, and how far they are apart, in s."""
        before_ns = self._clock.monotonic_ns()
        utc_s = self._clock.now_utc().timestamp()
        width_ns = self._clock.monotonic_ns() - before_ns
        return width_ns, utc_s - (before_ns + width_ns / 2) / NS_PER_S
