# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The sender: has committed results turned into objects, and hands originals and objects to the receivers.

Nothing that waits is ever dropped: a peer that is away is tried again with growing pauses, for ever, and
the order is kept. A file that a peer refuses by itself steps aside for the others, and is tried again after
them. One peer's trouble delays no other: each has a line of its own (`receiver_line`).
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from threading import Event
from types import TracebackType
from typing import Final

from typing_extensions import Self

from appliance.clock import Clock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.outputs.catalogue import destination
from appliance.processes.confirmations import Confirmations
from appliance.processes.lock import only_one
from appliance.processes.proof_shelf import ProofShelf
from appliance.processes.receiver_line import ReceiverLine
from appliance.processes.rendering import Renderer
from appliance.receivers import PeerSettings, ReceiverSettings
from appliance.store.commitments import Commitments
from appliance.store.connection import Database
from appliance.store.outbox import Outbox

NAME: Final = "sender"
IDLE_POLL_S: Final = 0.25


class Sender:
    """Works the outbox off. A context manager: it owns the threads that deliver."""

    def __init__(self, *, settings: Settings, layout: Layout, clock: Clock, database: Database) -> None:
        self._settings = settings
        self._clock = clock
        self._database = database
        self._outbox = Outbox(database)
        self._renderer = Renderer(settings=settings, layout=layout, database=database)
        self._proof_shelf = ProofShelf(settings, layout, clock)
        self._beat = Heartbeat(layout.run, NAME, clock)
        receivers = settings.sender.receivers
        self._threads = ThreadPoolExecutor(max_workers=max(1, len(receivers)), thread_name_prefix=NAME)
        self._lines = tuple(self._line(receiver) for receiver in receivers)

    def _line(self, receiver: ReceiverSettings) -> ReceiverLine:
        confirmations = None
        if isinstance(receiver, PeerSettings) and receiver.commitment:
            confirmations = Confirmations(
                receiver.name,
                wait_min=receiver.commitment_wait_min,
                commitments=Commitments(self._database),
                clock=self._clock,
            )
        return ReceiverLine(
            destination(receiver, self._settings),
            self._settings.sender,
            clock=self._clock,
            outbox=self._outbox,
            threads=self._threads,
            confirmations=confirmations,
        )

    def run(self, stop: Event) -> None:
        """Work until told to stop."""
        while not stop.is_set():
            worked = self.step()
            self._beat.beat("; ".join(self.troubles) or "waiting")
            if not worked and not self.wait_for_a_peer():
                stop.wait(IDLE_POLL_S)

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is in the way of receivers now, in words."""
        return tuple(line.trouble for line in self._lines if line.trouble)

    def wait_for_a_peer(self) -> bool:
        """Rest until a delivery ends, IDLE_POLL_S at most. False: none is under way."""
        talks = [line.under_way.done for line in self._lines if line.under_way is not None]
        wait(talks, timeout=IDLE_POLL_S, return_when=FIRST_COMPLETED)
        return bool(talks)

    def step(self) -> bool:
        """Take what peers answered, hand each that is free its next file, render one result.

        False: there was nothing to do.
        """
        worked = False
        for line in self._lines:
            worked |= line.step()
        worked = self._renderer.step() or worked
        return self._proof_shelf.step(busy=worked) or worked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
        for line in self._lines:
            line.close()
        self._proof_shelf.__exit__(None, None, None)


def run_sender(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        Sender(settings=settings, layout=layout, clock=clock, database=database) as sender,
    ):
        sender.run(stop)
