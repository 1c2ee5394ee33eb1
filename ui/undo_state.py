# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A decision just taken can be taken back for a while (KIOSK.md, rule 15). No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.clock import NS_PER_S
from appliance.store.decisions import Choice

UNDO_S: Final = 10.0
"""KIOSK.md, rule 15: undo for 10 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDecision:
    """The newest tap at this kiosk."""

    exam_id: str
    version: int
    choice: Choice
    decided_ns: int


def undo_of(last: LastDecision | None, *, exam_id: str, version: int, now_ns: int) -> Choice | None:
    """What can be taken back on the exam on the screen; None: nothing."""
    if last is None or (last.exam_id, last.version) != (exam_id, version):
        return None
    if last.choice is Choice.WITHDRAWN or now_ns - last.decided_ns >= UNDO_S * NS_PER_S:
        return None
    return last.choice
