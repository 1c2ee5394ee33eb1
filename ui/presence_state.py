# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody is at the screen, and what the screen shows to an empty room. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ui.health_state import HealthKind
from ui.language import tr, tr_n
from ui.view_state import BoardState
from ui.worklist_state import Level

LOCK_AFTER_S: Final = 120.0
"""A page behind a PIN closes after this long without a touch."""
_MINUTE_S: Final = 60.0


class Presence(str, Enum):
    """How long nobody has touched the screen, in steps."""

    HERE = "here"
    AWAY = "away"
    """Initials instead of names."""
    GONE = "gone"
    """The idle page: nothing of a patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceLimits:
    """Minutes without a touch; 0: never."""

    initials_after_min: float = 3.0
    idle_after_min: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleState:
    """What the idle page says."""

    word: str
    kind: HealthKind
    urgent: str
    waiting: str


def presence(untouched_s: float, limits: PresenceLimits) -> Presence:
    """The step for `untouched_s` seconds without a touch."""
    if limits.idle_after_min and untouched_s >= limits.idle_after_min * _MINUTE_S:
        return Presence.GONE
    if limits.initials_after_min and untouched_s >= limits.initials_after_min * _MINUTE_S:
        return Presence.AWAY
    return Presence.HERE


def idle_of(state: BoardState) -> IdleState:
    """The health word and two counts.

    An exam waits until a person has decided about its image. What is urgent in the list stays so here: that
    an image is kept or repeated says nothing of whether anybody has acted on the finding.
    """
    health = state.health
    waiting = sum(not row.decided for row in state.rows)
    urgent = sum(row.level is Level.URGENT for row in state.rows)
    known = health is not None and not health.stale  # an old list is no count of what waits now
    return IdleState(
        word=health.word if health is not None else tr("STARTING"),
        kind=health.kind if known and health is not None else HealthKind.ATTENTION,
        urgent=tr_n("{count} urgent", "{count} urgent", urgent) if known else tr("urgent: not known"),
        waiting=tr_n("{count} exam waits", "{count} exams wait", waiting)
        if known
        else tr("waiting: not known"),
    )
