# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The people who read: how many at which hour, and how long a reading takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.errors import ConfigError
from appliance.simulation.arrivals import S_PER_HOUR, S_PER_MIN

HOURS: Final = (24, 168)
"""A day, or a week that begins on a Monday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """Who is there when. A reading that was begun is ended, even if its reader's time is over."""

    by_hour: tuple[int, ...]
    """How many read in each hour of the day (24 numbers) or of the week from Monday's midnight on (168)."""
    reading_min: float
    """How long a reading takes on average."""
    reading_spread: float
    """Standard deviation of it as a share of the average. Times are log-normal: most are short, few long."""

    def __post_init__(self) -> None:
        """Raises ConfigError where nobody could ever read."""
        if len(self.by_hour) not in HOURS or min(self.by_hour) < 0 or not any(self.by_hour):
            raise ConfigError(
                "Nobody reads at any hour, or the hours do not make a day or a week.",
                remedy="Name at least one reader for some hour.",
            )

    def reading_s(self, exams: int, random: np.random.Generator) -> NDArray[np.float64]:
        """As many lengths of readings."""
        if self.reading_spread == 0:
            return np.full(exams, self.reading_min * S_PER_MIN)
        variance = math.log1p(self.reading_spread**2)
        mean = math.log(self.reading_min * S_PER_MIN) - variance / 2
        return random.lognormal(mean, math.sqrt(variance), exams)

    def next_at_work_s(self, reader: int, now_s: float) -> float:
        """When this reader (from 0) is there next: `now_s` where that is now; infinity: never."""
        hour = int(now_s // S_PER_HOUR)
        hours = len(self.by_hour)
        if self.by_hour[hour % hours] > reader:
            return now_s
        for later in range(hour + 1, hour + hours):
            if self.by_hour[later % hours] > reader:
                return later * S_PER_HOUR
        return math.inf


def day_and_night(day: int, night: int, *, begins: int, ends: int) -> tuple[int, ...]:
    """`day` readers from the full hour `begins` to `ends`, over midnight if it ends sooner; else `night`."""
    if begins <= ends:
        return tuple(day if begins <= hour < ends else night for hour in range(24))
    return tuple(night if ends <= hour < begins else day for hour in range(24))
