# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A device with films that wait for one receiver, the sender that works on them, and what the screen says."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.processes.sender import Sender
from appliance.receivers import PeerSettings, SenderSettings
from appliance.store.connection import Database
from appliance.store.outbox import queue_originals
from appliance.store.peers import Peers, PeerStanding
from ui.device_faults import peer_faults

FILMS = 3
PAUSE_S = 2.0
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
QUICK_TO_GIVE_UP = {"acse_timeout": 1, "network_timeout": 2}


class Device:
    """A data folder with films that wait for one receiver, and the sender that works on them."""

    def __init__(self, layout: Layout, films: tuple[Path, ...]) -> None:
        layout.create()
        self.clock = ManualClock()
        self._layout = layout
        self.database = Database.open(layout.database, data=layout.data, clock=self.clock)
        for film in films:
            copy = layout.spool / f"{hashlib.sha256(film.read_bytes()).hexdigest()}.dcm"
            shutil.copyfile(film, copy)
            with self.database.transaction() as write:
                queue_originals(write, path=copy.relative_to(layout.data), peers=("PACS",))

    @contextmanager
    def sender(self, port: int, **known: Any) -> Iterator[Sender]:
        settings = Settings(
            sender=SenderSettings(
                peers=(peer_settings(port, **known),), retry_first_s=PAUSE_S, retry_longest_s=PAUSE_S
            )
        )
        with Sender(
            settings=settings, layout=self._layout, clock=self.clock, database=self.database
        ) as sender:
            yield sender

    def waiting(self) -> int:
        return int(self.database.read("SELECT count(*) FROM outbox WHERE done = 0")[0][0])

    def standing(self) -> PeerStanding:
        return Peers(self.database).of("PACS")

    def screen(self) -> tuple[str, str]:
        """The health word of the kiosk for this receiver, and its advice."""
        (fault,) = peer_faults(self.standing(), now_utc=NOW)
        return fault.word, fault.advice


def peer_settings(port: int, **known: Any) -> PeerSettings:
    common = {"name": "PACS", "host": "127.0.0.1", "port": port, "ae_title": "ARCHIVE"}
    return PeerSettings(**common | {"answer_timeout_s": 1.0} | known)


def work_off(sender: Sender) -> None:
    while sender.step() or sender.wait_for_a_peer():
        pass


def arrived_whole(received: list[tuple[bytes, str]]) -> None:
    """Every film, as often as it may be, but never in two forms."""
    assert len({content for content, _ in received}) == FILMS


def recovers(device: Device, sender: Sender, received: list[tuple[bytes, str]]) -> None:
    device.clock.advance(PAUSE_S)
    work_off(sender)
    assert device.waiting() == 0
    assert sender.troubles == ()
    assert list(peer_faults(device.standing(), now_utc=NOW)) == []
    arrived_whole(received)
