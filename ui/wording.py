# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How numbers become words on the screen."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ui.language import language, tr, tr_n

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86400


def duration(seconds: float) -> str:
    """Minutes and seconds below an hour ("0:42"), then hours and minutes ("2 h 05"), then days."""
    whole = max(0, int(seconds))
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}:{whole % _MINUTE_S:02d}"
    if whole < _DAY_S:
        return tr(
            "{hours} h {minutes}", hours=whole // _HOUR_S, minutes=f"{whole % _HOUR_S // _MINUTE_S:02d}"
        )
    days = whole // _DAY_S
    return tr_n("{count} day", "{count} days", days)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ...; "1." where the language is not English."""
    if language() != "en":
        return f"{number}."
    teen = number % 100 in {11, 12, 13}
    suffix = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def clock_time(moment: datetime) -> str:
    """Hours and minutes on the device's own clock, as people read it."""
    return moment.astimezone().strftime("%H:%M")
