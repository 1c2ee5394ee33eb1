# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a PIN may be tried: three times, then with pauses that double. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.clock import NS_PER_S

FREE_TRIES: Final = 3
FIRST_PAUSE_S: Final = 30.0
LONGEST_PAUSE_S: Final = 3600.0
"""Six digits tried once an hour take a century; a person who forgot theirs asks for a new one sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Wrong PINs in a row, over all roles and pages: leaving the keypad does not begin anew."""

    wrong: int = 0
    paused_until_ns: int = 0


def after_wrong(tries: Tries, *, now_ns: int) -> Tries:
    """One more wrong PIN: from the third on each brings a pause, twice as long as the one before."""
    wrong = tries.wrong + 1
    if wrong < FREE_TRIES:
        return Tries(wrong=wrong)
    # The exponent is bounded: a PIN can be tried wrongly for years.
    pause_s = min(FIRST_PAUSE_S * 2 ** min(wrong - FREE_TRIES, 16), LONGEST_PAUSE_S)
    return Tries(wrong=wrong, paused_until_ns=now_ns + round(pause_s * NS_PER_S))


def pause_left_s(tries: Tries, *, now_ns: int) -> float:
    """Seconds until the next try; 0 when it may be made now."""
    return max(0.0, (tries.paused_until_ns - now_ns) / NS_PER_S)
