# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A receiver is away for a month while 20,000 files wait: nothing is lost, the order stays, all is quick."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation as Radiograph

from appliance.clock import ManualClock, SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.processes.sender import Sender
from appliance.receivers import PeerSettings, SenderSettings
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from appliance.store.outbox import queue_originals
from appliance.store.peers import Peers
from tests.receiver import receiver
from tests.running import free_port

ROWS = 20_000
DAYS = 30
LONGEST_PAUSE_S = 12 * 3600.0
"""Not the five minutes of the settings: each try of this month is a real one, and takes its time."""
BACK_AT_ONCE = 40
STEP_LIMIT_MS = 50.0
"""Twenty steps a second are far more than a receiver takes files."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_month_without_a_receiver(layout: Layout, tmp_path: Path) -> None:
    clock, watch = ManualClock(), SystemClock()
    port = free_port()
    known = PeerSettings(name="pacs", host="127.0.0.1", port=port, ae_title="ARCHIVE")
    settings = Settings(
        sender=SenderSettings(peers=(known,), retry_first_s=2.0, retry_longest_s=LONGEST_PAUSE_S)
    )
    layout.create()
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        for number in range(BACK_AT_ONCE):
            write_chest(
                layout.spool / f"{number:05d}.dcm", identity=Identity(seed=number), rows=64, columns=64
            )
        with database.transaction() as write:
            for number in range(ROWS):
                queue_originals(write, path=Path("spool") / f"{number:05d}.dcm", peers=("pacs",))
        order = [row[0] for row in database.read("SELECT path FROM outbox ORDER BY outbox_id")]
        took_ms = []
        with Sender(settings=settings, layout=layout, clock=clock, database=database) as sender:
            for _ in range(int(DAYS * 86400 / LONGEST_PAUSE_S)):
                while True:
                    began_ns = watch.monotonic_ns()
                    worked = sender.step()
                    took_ms.append((watch.monotonic_ns() - began_ns) / 1e6)
                    if not worked and not sender.wait_for_a_peer():
                        break
                clock.advance(LONGEST_PAUSE_S)
            standing = Peers(database).of("pacs")
            assert (standing.waiting, standing.needs_person) == (ROWS, False)
            assert standing.away_since_utc is not None
            assert (clock.now_utc() - standing.away_since_utc).days >= DAYS - 1
            assert standing.attempts >= DAYS
            assert float(np.percentile(took_ms, 95)) < STEP_LIMIT_MS
            with receiver(takes=Radiograph, port=port) as (_, received):
                while len(received) < BACK_AT_ONCE:
                    if not sender.step():
                        sender.wait_for_a_peer()
        left = [
            row[0] for row in database.read("SELECT path FROM outbox WHERE done = 0 ORDER BY rank, outbox_id")
        ]
        gone = [row[0] for row in database.read("SELECT path FROM outbox WHERE done = 1 ORDER BY outbox_id")]
    assert len(gone) in {BACK_AT_ONCE - 1, BACK_AT_ONCE}, "the last answer may not have been looked at"
    assert gone + left == order
