# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the store says about receivers: takes files, is away since, refuses one file only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Acquisition
from appliance.store.connection import Database
from appliance.store.outbox import Outbox, queue_originals
from appliance.store.peers import Peers

LandOne = Callable[..., Acquisition]


@pytest.fixture
def outbox(database: Database, land: LandOne) -> Outbox:
    for name in ("a", "b"):
        land(name)
        sha256 = hashlib.sha256(f"{name}1".encode()).hexdigest()
        with database.transaction() as write:
            queue_originals(write, path=Path("spool") / sha256[:2] / f"{sha256}.dcm", peers=("PACS",))
    return Outbox(database)


def test_a_receiver_that_was_never_asked(database: Database, outbox: Outbox, clock: ManualClock) -> None:
    del outbox
    standing = Peers(database).of("PACS")
    assert (standing.waiting, standing.attempts, standing.reason) == (2, 0, None)
    assert standing.oldest_waiting_at_utc == clock.now_utc()
    assert (standing.last_sent_at_utc, standing.away_since_utc) == (None, None)
    assert Peers(database).of("OTHER").waiting == 0


def test_away_since_the_first_failure_until_it_takes_one(
    database: Database, outbox: Outbox, clock: ManualClock
) -> None:
    began = clock.now_utc()
    for _ in range(3):
        send = outbox.next_send("PACS")
        assert send is not None
        outbox.not_sent(send, reason="Connection refused.")
        clock.advance(60)
    standing = Peers(database).of("PACS")
    assert (standing.away_since_utc, standing.attempts) == (began, 3)
    assert standing.reason == "Connection refused."
    send = outbox.next_send("PACS")
    assert send is not None
    outbox.sent(send)
    standing = Peers(database).of("PACS")
    assert (standing.away_since_utc, standing.waiting) == (None, 1)
    assert standing.last_sent_at_utc == began + timedelta(minutes=3)


def test_one_refused_file_is_no_receiver_that_is_away(database: Database, outbox: Outbox) -> None:
    send = outbox.next_send("PACS")
    assert send is not None
    outbox.not_sent(send, reason="SOP class not supported.", steps_aside=True)
    standing = Peers(database).of("PACS")
    assert standing.away_since_utc is None
    assert (standing.attempts, standing.reason) == (1, "SOP class not supported.")
