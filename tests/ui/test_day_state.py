# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ui.day_state import DayState, ScoreKind, day_state, score_of


def day(clinic: Any, **change: Any) -> DayState:
    given = {"opened": None, "seen": frozenset(), "now_utc": clinic.clock.now_utc(), **change}
    return day_state(given.pop("board", clinic.read()), ("cut", "head", "wrist", "good"), **given)


def test_done_is_what_a_person_dealt_with(full_clinic: Any) -> None:
    assert day(full_clinic).words == "Today 0 done, 6 waiting"
    assert day(full_clinic, seen={"cut", "good"}).words == "Today 2 done, 4 waiting"


def test_yesterday_is_not_today(full_clinic: Any) -> None:
    tomorrow = full_clinic.clock.now_utc() + timedelta(days=1)
    assert day(full_clinic, now_utc=tomorrow).words == "Today 0 done, 0 waiting"


def test_next_is_the_most_urgent_unread_but_the_open_one(full_clinic: Any) -> None:
    assert day(full_clinic).next_exam_id == "cut"
    assert day(full_clinic, opened="cut").next_exam_id == "head"
    assert day(full_clinic, opened="cut", seen={"head", "wrist", "good"}).next_exam_id is None


@pytest.mark.parametrize(
    ("waits", "unsent", "words"),
    [
        (timedelta(days=2, hours=1), 41, "No link to hospital for 2 days. 41 results wait. Nothing is lost."),
        (timedelta(hours=3), 1, "No link to hospital for 3 h 00. 1 result waits. Nothing is lost."),
        (timedelta(minutes=5), 3, ""),
        (timedelta(days=2), 0, ""),
    ],
)
def test_a_lost_link_is_said_with_its_age(
    full_clinic: Any, waits: timedelta, unsent: int, words: str
) -> None:
    board = full_clinic.read()
    counts = replace(board.health.counts, unsent=unsent)
    since = full_clinic.clock.now_utc() - waits
    health = replace(board.health, counts=counts, oldest_unsent_at_utc=since)
    assert day(full_clinic, board=replace(board, health=health)).offline == words


def test_the_store_tells_since_when_the_oldest_waits(clinic: Any) -> None:
    assert clinic.read().health.oldest_unsent_at_utc is None
    waiting = clinic.layout.results / "sr.dcm"
    waiting.parent.mkdir(parents=True, exist_ok=True)
    waiting.touch()
    written_s = clinic.clock.now_utc().timestamp() - 3600
    os.utime(waiting, (written_s, written_s))
    with clinic.database.transaction() as write:
        path = str(waiting.relative_to(clinic.layout.data))
        write("INSERT INTO outbox (step, path, peer, rank) VALUES ('send', ?, 'PACS', 20)", (path,))
    since = clinic.read().health.oldest_unsent_at_utc
    assert since == clinic.clock.now_utc() - timedelta(hours=1)


@pytest.mark.parametrize(
    ("probability", "kind", "score"),
    [
        (0.05, ScoreKind.BELOW, "5"),
        (0.2999, ScoreKind.BELOW, "29"),
        (0.30, ScoreKind.RAISED, "30"),
        (0.699, ScoreKind.RAISED, "70"),
        (0.86, ScoreKind.HIGH, "86"),
    ],
)
def test_the_score_never_contradicts_its_band(
    clinic: Any, make: Any, probability: float, kind: ScoreKind, score: str
) -> None:
    exam = clinic.land("a")
    answer = clinic.triage(make.finding("Tuberculosis", probability))
    clinic.answer(exam, quality=clinic.quality(), triage=answer, denoise=clinic.quality())
    state = score_of(clinic.read().exams[0])
    assert (state.kind, state.score) == (kind, score)
    assert "Threshold 30" in state.detail
    assert "%" not in state.detail
    assert ("does not mean normal" in state.detail) == (kind is ScoreKind.BELOW)


def test_the_finding_that_matters_most_is_scored(full_clinic: Any) -> None:
    exams = {exam.entry.acquisition_id: exam for exam in full_clinic.read().exams}
    assert score_of(exams["cut"]).detail.startswith("Pneumothorax?")
    none = score_of(exams["side"])
    assert (none.kind, none.score, none.word) == (ScoreKind.NONE, "", "NO SCORE")
