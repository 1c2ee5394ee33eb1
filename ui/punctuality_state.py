# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Missed deadlines, counted in public: one line over the worklist. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.store.punctuality import Tally
from ui.language import tr, tr_n


@dataclass(frozen=True, slots=True, kw_only=True)
class PunctualityState:
    """Today's count in words."""

    words: str
    """"" while nothing has landed today."""
    is_late: bool
    """At least one was not checked in time."""


def punctuality_of(tally: Tally | None) -> PunctualityState:
    """What is said of the day so far. What is not known is said, and never counted as in time."""
    if tally is None:
        return PunctualityState(words="", is_late=False)
    parts = []
    known = tally.in_time + tally.late
    if known:
        parts.append(tr("Checked in time today: {count} of {total}", count=tally.in_time, total=known))
    if tally.late:
        parts.append(tr_n("{count} late", "{count} late", tally.late))
    if tally.unknown:
        parts.append(tr_n("{count} time unknown", "{count} times unknown", tally.unknown))
    if tally.without_check:
        parts.append(tr_n("{count} not checkable", "{count} not checkable", tally.without_check))
    return PunctualityState(words=" · ".join(parts), is_late=tally.late > 0)
