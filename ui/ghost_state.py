# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is expected next: ghosts at the end of the list, never a whole name. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appliance.domain.expected import ExpectedStep, ListState
from ui.language import tr, tr_n
from ui.plain_text import person_name, visible
from ui.privacy_state import masked
from ui.records import BoardRecord

MOST_GHOSTS: Final = 2
"""The list is for those who are here: expected ones take two rows of it, and a number."""
OVERDUE: Final = timedelta(hours=4)
"""Who did not come for so long after their time is not the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ghost:
    """One step without an image. Masked before it leaves this module."""

    name: str
    """Initials."""
    patient_id: str
    birth_date: str
    procedure: str
    """"XR wrist right 2 views, Room 2"."""
    at: str
    """"07:20"; "" where the list gives no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostsState:
    """The block below the list."""

    heading: str
    """"Expected: 5"; with the age of the list where it is old."""
    is_old: bool
    ghosts: tuple[Ghost, ...]


def ghosts_of(board: BoardRecord) -> GhostsState | None:
    """None: no worklist, no answer yet, or nobody is expected."""
    expected = board.expected
    if expected is None or expected.state in {ListState.NONE, ListState.UNHEARD}:
        return None
    now = board.read_at_utc.astimezone().replace(tzinfo=None)
    steps = [step for step in expected.steps if _is_still_expected(step, now)]
    if not steps:
        return None
    is_old = expected.state is ListState.OLD
    heading = tr_n("{count} expected", "{count} expected", len(steps))
    if is_old:
        minutes = int(expected.age_min or 0)
        heading = tr("{heading}, list {minutes} min old", heading=heading, minutes=minutes)
    return GhostsState(
        heading=heading, is_old=is_old, ghosts=tuple(masked(_ghost(step)) for step in steps[:MOST_GHOSTS])
    )


def _is_still_expected(step: ExpectedStep, now: datetime) -> bool:
    at = step.scheduled_at
    return at is None or (now - OVERDUE <= at and at.date() <= now.date())


def _ghost(step: ExpectedStep) -> Ghost:
    words = (visible(step.procedure), visible(step.scheduled_station_name or step.scheduled_station_ae_title))
    return Ghost(
        name=person_name(step.patient_name),
        patient_id=visible(step.patient_id),
        birth_date=visible(step.patient_birth_date),
        procedure=", ".join(word for word in words if word),
        at=step.scheduled_at.strftime("%H:%M") if step.scheduled_at else "",
    )
