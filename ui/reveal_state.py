# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the AI's answer to an exam is shown: at once, after the person has answered, or asked."""

from __future__ import annotations

from enum import Enum

from appliance.settings_for_people import KioskSettings
from appliance.store.opinions import Act
from ui.records import ExamRecord


class Reveal(str, Enum):
    """What has to happen first."""

    AT_ONCE = "at_once"
    AFTER_COMMIT = "after_commit"
    """The person says whether they see anything: their answer is not led by the AI's."""
    AFTER_ASKING = "after_asking"
    """The image alone first (KIOSK.md, rule 11)."""


def reveal_from(settings: KioskSettings) -> Reveal:
    """As the site wants it; where it wants both, the stronger one."""
    if settings.commit_first:
        return Reveal.AFTER_COMMIT
    return Reveal.AFTER_ASKING if settings.image_first else Reveal.AT_ONCE


def still_asked(exam: ExamRecord, reveal: Reveal) -> Reveal:
    """What has to happen before the AI's answer to this exam is shown; AT_ONCE when nothing has."""
    if reveal is Reveal.AFTER_COMMIT and exam.deed(Act.FIRST_LOOK) is None:
        return reveal
    if reveal is Reveal.AFTER_ASKING and exam.deed(Act.AI_ASKED) is None:
        return reveal
    return Reveal.AT_ONCE
