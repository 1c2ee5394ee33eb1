# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one line over the whole screen that nobody can miss: old data, AI off, a device in trouble. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ui.health_state import HealthKind, HealthState
from ui.language import tr, tr_n

POLLER_SILENT_S: Final = 5.0
"""Without a look at the store for this long the screen does not know what it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The line."""

    text: str
    is_danger: bool
    gap: str
    """On the button that opens the list of exams to read without AI; "" for no button."""


def notice_of(health: HealthState | None, *, gap: int) -> Notice | None:
    """What must be said over everything; None while all is well. `gap`: exams to read without AI."""
    if health is None:
        return None
    button = tr_n("{count} exam to read", "{count} exams to read", gap) if gap else ""
    if health.stale:
        words = tr("{data}. Not current.", data=health.stale)
        advice = health.advice if health.kind is not HealthKind.OK else ""
        return Notice(
            text=" ".join(part for part in (words, advice) if part),
            is_danger=health.kind is HealthKind.DANGER,
            gap=button,
        )
    if health.kind is HealthKind.DANGER or button:
        return Notice(
            text=f"{health.word}: {health.advice}", is_danger=health.kind is HealthKind.DANGER, gap=button
        )
    return None


def with_silent_poller(health: HealthState, *, silent_s: float, read_at: str) -> HealthState:
    """The bar when this program itself has stopped looking at the store."""
    if silent_s <= POLLER_SILENT_S:
        return health
    return replace(
        health,
        kind=HealthKind.DANGER,
        word=tr("SCREEN STOPPED"),
        advice=tr("This screen reads nothing new. Restart it."),
        stale=tr("Data from {time}", time=read_at),
    )
