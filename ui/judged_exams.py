# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every exam with its verdict and its findings, judged once for the list, the card and the wall. No Qt."""

from __future__ import annotations

from ui.findings_state import FindingsState, findings_of
from ui.health_state import checker_down
from ui.proof_state import ai_off, findings_in_doubt, verdict_in_doubt
from ui.records import BoardRecord, ExamRecord
from ui.reveal_state import Reveal
from ui.verdict_state import VerdictState, verdict_of


def judged(
    board: BoardRecord, *, reveal: Reveal, now_ns: int
) -> list[tuple[ExamRecord, VerdictState, FindingsState]]:
    """As this screen may show them now: doubts about the AI and what is withheld are taken into account."""
    off = ai_off(board.health)
    down = checker_down(board.health, now_ns=now_ns)
    entries = []
    for exam in board.exams:
        findings = findings_in_doubt(findings_of(exam, ai_down=down, reveal=reveal), exam, off)
        verdict = verdict_of(exam, findings, checker_down=down, now_ns=now_ns)
        entries.append((exam, verdict_in_doubt(verdict, exam, off), findings))
    return entries
