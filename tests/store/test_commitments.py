# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a receiver's word about stored objects changes, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.domain.acquisition import Acquisition
from appliance.domain.commitment import CommitmentReport, NotKept
from appliance.store.commitments import Commitments, failure_words
from appliance.store.connection import Database
from appliance.store.outbox import Outbox
from appliance.store.peers import Peers

NAMES = ("1.1", "1.2", "1.3")


@pytest.fixture
def asked(database: Database, land: Callable[..., Acquisition]) -> Commitments:
    """Three files that were taken and asked about; a fourth was taken only."""
    outbox, commitments = Outbox(database), Commitments(database)
    for name in ("a", "b", "c", "d"):
        land(name)
        send = outbox.next_send("pacs")
        assert send is not None
        outbox.stored(send)
    files = commitments.unasked("pacs", limit=len(NAMES))
    commitments.begin("2.25.1", tuple(zip(files, NAMES, strict=True)))
    return commitments


def states(database: Database) -> list[tuple[int, int, int]]:
    rows = database.read("SELECT done, stored, attempts FROM outbox WHERE step = 'send' ORDER BY outbox_id")
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_report_ends_what_it_names_and_nothing_else(database: Database, asked: Commitments) -> None:
    asked.report(CommitmentReport(transaction_uid="2.25.1", kept=frozenset({"1.2", "9.9"})))
    assert states(database) == [(0, 2, 0), (1, 2, 0), (0, 2, 0), (0, 1, 0)]
    assert asked.is_open("2.25.1")
    assert asked.transactions("pacs") == ("2.25.1",)
    assert Peers(database).of("pacs").unconfirmed == 3


def test_what_is_lost_waits_again_with_the_reason(database: Database, asked: Commitments) -> None:
    lost = NotKept(sop_instance_uid="1.1", failure_reason=0x0112)
    asked.report(CommitmentReport(transaction_uid="2.25.1", kept=frozenset({"1.1", "1.2"}), not_kept=(lost,)))
    assert states(database) == [(0, 0, 1), (1, 2, 0), (0, 2, 0), (0, 1, 0)], "lost weighs more than kept"
    assert "it does not have it" in (Peers(database).of("pacs").reason or "")


def test_another_transaction_changes_nothing(database: Database, asked: Commitments) -> None:
    before = states(database)
    asked.report(CommitmentReport(transaction_uid="2.25.2", kept=frozenset(NAMES)))
    assert states(database) == before


def test_what_nobody_answers_is_sent_again(database: Database, asked: Commitments) -> None:
    asked.report(CommitmentReport(transaction_uid="2.25.1", kept=frozenset({"1.3"})))
    assert asked.overdue("2.25.1", reason="silence") == 2
    assert states(database) == [(0, 0, 1), (0, 0, 1), (1, 2, 0), (0, 1, 0)]
    assert asked.overdue("2.25.1", reason="silence") == 0


def test_a_question_that_did_not_get_through_is_asked_again(database: Database, asked: Commitments) -> None:
    asked.not_asked("2.25.1", reason="broke off")
    assert [row[:2] for row in states(database)] == [(0, 1)] * 4
    assert len(asked.unasked("pacs", limit=9)) == 4


def test_reasons_are_words() -> None:
    assert failure_words(0x0213) == "it has no room"
    assert failure_words(0x0999) == "reason 0x0999"
    assert failure_words(None) == "it gave no reason"
