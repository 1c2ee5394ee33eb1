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
        return self._clock.now_utc().timestamp() - self._clock.monotonic_ns() / NS_PER_S
