# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Rejection notes follow the decision: queued with it, held back without it, and never called back."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.outbox import Outbox, RenderNote

K, R, W = Choice.KEEP, Choice.REPEAT, Choice.WITHDRAWN


@pytest.fixture
def decisions(database: Database) -> Decisions:
    return Decisions(database)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


def tap(decisions: Decisions, *choices: Choice) -> tuple[str, ...]:
    told: tuple[str, ...] = ()
    for choice in choices:
        told = decisions.decide("a", 1, choice, reason="Positioning")
    return told


def made(outbox: Outbox, data: Path) -> RenderNote:
    """The next note, turned into a file that waits for one receiver."""
    note = outbox.next_render()
    assert isinstance(note, RenderNote)
    outbox.rendered(note, deliveries=((data / f"rejection-{note.decision_id}.dcm", "PACS"),))
    return note


@pytest.mark.parametrize(
    ("taps", "of_tap"),
    [
        ((R,), 1),
        ((K,), None),
        ((R, W), None),
        ((R, K), None),
        ((R, K, W), 1),
        ((R, W, R), 3),
        ((R, R), 2),
        ((K, R, W), None),
    ],
)
def test_the_decision_that_stands_has_the_note(
    decisions: Decisions, outbox: Outbox, taps: tuple[Choice, ...], of_tap: int | None
) -> None:
    tap(decisions, *taps)
    note = outbox.next_render()
    assert (note.decision_id if isinstance(note, RenderNote) else None) == of_tap
    if of_tap is not None:
        found = decisions.of(of_tap)
        assert found is not None
        assert (found.choice, found.reason) == (R, "Positioning")


def test_a_note_that_waits_for_its_receiver_is_held_back_and_let_go(
    decisions: Decisions, outbox: Outbox, tmp_path: Path, database: Database
) -> None:
    tap(decisions, R)
    made(outbox, tmp_path)
    assert outbox.next_send("PACS") is not None
    assert tap(decisions, K) == ()
    assert outbox.next_send("PACS") is None
    assert database.read("SELECT DISTINCT reason FROM outbox WHERE held_back = 1") == [
        ("held back: the decision was taken back before this left",)
    ]
    tap(decisions, W)
    assert outbox.next_send("PACS") is not None
    assert outbox.next_render() is None


def test_a_note_that_is_taken_back_while_it_is_made_does_not_wait_for_anybody(
    decisions: Decisions, outbox: Outbox, tmp_path: Path
) -> None:
    tap(decisions, R)
    note = outbox.next_render()
    assert isinstance(note, RenderNote)
    tap(decisions, W)
    outbox.rendered(note, deliveries=((tmp_path / "rejection-1.dcm", "PACS"),))
    assert outbox.next_send("PACS") is None


def test_a_note_that_has_left_is_told_and_not_sent_again(
    decisions: Decisions, outbox: Outbox, tmp_path: Path
) -> None:
    tap(decisions, R)
    made(outbox, tmp_path)
    send = outbox.next_send("PACS")
    assert send is not None
    outbox.sent(send)
    assert tap(decisions, W) == ("PACS",)
    assert outbox.next_send("PACS") is None
    tap(decisions, R)
    assert made(outbox, tmp_path).decision_id == 3, "a new decision has a note of its own"


def test_other_acquisitions_are_left_alone(decisions: Decisions, outbox: Outbox) -> None:
    tap(decisions, R)
    decisions.decide("b", 1, K, reason=None)
    assert isinstance(outbox.next_render(), RenderNote)


def test_no_decision_is_written_without_its_note(database: Database, decisions: Decisions) -> None:
    """One transaction: where the outbox takes no row, the decision is not there either."""
    database.read("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(apsw.ConstraintError, match="full"):
        tap(decisions, R)
    assert decisions.latest("a") is None
