# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What `scanside doctor` says of the worklist."""

from __future__ import annotations

from appliance.clock import Clock
from appliance.config import Settings
from appliance.errors import WorklistError
from appliance.intake.worklist_query import ask_worklist


def worklist_words(settings: Settings, clock: Clock) -> tuple[bool, str, str]:
    """Asks it now. Whether all is well, what was found, and what to do."""
    if not settings.worklist.host:
        return True, "none is set up", ""
    try:
        answer = ask_worklist(settings.worklist, own_ae_title=settings.listener.ae_title, clock=clock)
    except WorklistError as error:
        return False, error.what, error.remedy
    unknown = sum(step.body_part is None for step in answer.steps)
    odd = [
        words
        for words, holds in (
            (f"more than {settings.worklist.most_steps}, not all are read", not answer.whole),
            (f"{answer.unread} answers could not be read", answer.unread > 0),
            (f"{unknown} of no known body part", unknown > 0),
        )
        if holds
    ]
    found = "; ".join((f"{len(answer.steps)} steps expected", *odd))
    remedy = "Ask for less, or add rows to worklist.protocols; `scanside worklist` shows the list."
    return not odd, found, remedy if odd else ""
