# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The one place that reads a clock.

Limits, leases, orders and durations use `monotonic_ns` (CLOCK_MONOTONIC: one origin for all processes
of a boot, untouched by a person or NTP setting the time). `now_utc` is for people to read, never to
subtract. Readings of two boots must not be compared: `boot_id` tells them apart.
"""

from __future__ import annotations

import functools
import time  # noqa: TID251  (this is the one place)
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, Protocol

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
_BOOT_ID_FILE: Final = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What the time is (for people), how much of it has passed (for programs), and waiting."""

    def now_utc(self) -> datetime:
        """The wall clock, timezone-aware. May jump."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an origin that is the same for every process until the next boot."""

    def boot_id(self) -> str:
        """A name for this boot: monotonic readings compare only where it is equal."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own clock."""

    def now_utc(self) -> datetime:
        """See `Clock.now_utc`."""
        return datetime.now(timezone.utc)

    def monotonic_ns(self) -> int:
        """See `Clock.monotonic_ns`."""
        return time.monotonic_ns()

    def boot_id(self) -> str:
        """See `Clock.boot_id`."""
        return _boot_id()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to: for tests, and for replaying recorded arrivals."""

    def __init__(self, *, start_utc: datetime | None = None) -> None:
        self._utc = start_utc or datetime(2026, 1, 1, tzinfo=timezone.utc)
        self._elapsed_ns = NS_PER_S

    def now_utc(self) -> datetime:
        """See `Clock.now_utc`."""
        return datetime.fromtimestamp(
            self._utc.timestamp() + (self._elapsed_ns - NS_PER_S) / NS_PER_S, tz=timezone.utc
        )

    def set_utc(self, utc: datetime) -> None:
        """Set the wall clock as a person or NTP would; the monotonic clock does not notice."""
        self._utc = datetime.fromtimestamp(
            utc.timestamp() - (self._elapsed_ns - NS_PER_S) / NS_PER_S, tz=timezone.utc
        )

    def monotonic_ns(self) -> int:
        """See `Clock.monotonic_ns`."""
        return self._elapsed_ns

    def boot_id(self) -> str:
        """See `Clock.boot_id`."""
        return "manual"

    def sleep(self, seconds: float) -> None:
        """Advance by `seconds` at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._elapsed_ns += round(seconds * NS_PER_S)


@functools.cache
def _boot_id() -> str:
    """Read once: no process lives longer than its boot, and every row of the store asks."""
    return _BOOT_ID_FILE.read_text(encoding="ascii").strip()
