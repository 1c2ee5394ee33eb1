# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The sender: has committed results turned into objects, and hands originals and objects to the receivers.

Nothing that waits is ever dropped: a peer that is away is tried again with growing pauses, for ever, and
the order is kept. A file that a peer refuses by itself steps aside for the others, and is tried again after
them. One peer's trouble delays no other: each has a thread that does nothing but deliver; the loop decides.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from types import TracebackType
from typing import Final

import structlog
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.outputs.base import Destination
from appliance.outputs.catalogue import destination
from appliance.pipeline.report import fault_words
from appliance.processes.lock import only_one
from appliance.processes.proof_shelf import ProofShelf
from appliance.processes.rendering import Renderer
from appliance.receivers import SenderSettings
from appliance.store.connection import Database
from appliance.store.outbox import Outbox, Send

NAME: Final = "sender"
IDLE_POLL_S: Final = 0.25
BACKOFF_FACTOR: Final = 2.0


class _Peer:
    """One receiver, and when it may be tried again."""

    def __init__(self, destination: Destination, settings: SenderSettings, clock: Clock) -> None:
        self.destination = destination
        self._settings = settings
        self._clock = clock
        self._pause_s = settings.retry_first_s
        self._not_before_ns = 0
        self.trouble: str | None = None
        self.under_way: tuple[Send, Future[None]] | None = None

    def may_be_tried(self) -> bool:
        return self.under_way is None and self._clock.monotonic_ns() >= self._not_before_ns

    def take_answer(self) -> tuple[Send, Future[None]] | None:
        """The delivery that has come to its end, once; None while there is none."""
        if self.under_way is None or not self.under_way[1].done():
            return None
        answer, self.under_way = self.under_way, None
        return answer

    def went_well(self) -> None:
        self._pause_s = self._settings.retry_first_s
        self.trouble = None

    def went_wrong(self, words: str) -> None:
        self.trouble = words
        self._not_before_ns = self._clock.monotonic_ns() + round(self._pause_s * NS_PER_S)
        self._pause_s = min(self._pause_s * BACKOFF_FACTOR, self._settings.retry_longest_s)


class Sender:
    """Works the outbox off. A context manager: it owns the threads that deliver."""

    def __init__(self, *, settings: Settings, layout: Layout, clock: Clock, database: Database) -> None:
        self._log = structlog.get_logger()
        self._outbox = Outbox(database)
        self._renderer = Renderer(settings=settings, layout=layout, database=database)
        self._proof_shelf = ProofShelf(settings, layout, clock)
        self._beat = Heartbeat(layout.run, NAME, clock)
        self._peers = tuple(
            _Peer(destination(receiver, settings), settings.sender, clock)
            for receiver in settings.sender.receivers
        )
        self._threads = ThreadPoolExecutor(max_workers=max(1, len(self._peers)), thread_name_prefix=NAME)

    def run(self, stop: Event) -> None:
        """Work until told to stop."""
        while not stop.is_set():
            worked = self.step()
            troubles = [peer.trouble for peer in self._peers if peer.trouble]
            self._beat.beat("; ".join(troubles) or "waiting")
            if not worked and not self.wait_for_a_peer():
                stop.wait(IDLE_POLL_S)

    def wait_for_a_peer(self) -> bool:
        """Rest until a delivery ends, IDLE_POLL_S at most. False: none is under way."""
        deliveries = [peer.under_way[1] for peer in self._peers if peer.under_way is not None]
        wait(deliveries, timeout=IDLE_POLL_S, return_when=FIRST_COMPLETED)
        return bool(deliveries)

    def step(self) -> bool:
        """Take what peers answered, hand each that is free its next file, render one result.

        False: there was nothing to do.
        """
        worked = False
        for peer in self._peers:
            worked |= self._take_answer(peer)
            worked |= self._send_next(peer)
        worked = self._renderer.step() or worked
        return self._proof_shelf.step(busy=worked) or worked

    def _send_next(self, peer: _Peer) -> bool:
        if not peer.may_be_tried():
            return False
        send = self._outbox.next_send(peer.destination.name)
        if send is None:
            return False
        peer.under_way = (send, self._threads.submit(peer.destination.deliver, send.path))
        return True

    def _take_answer(self, peer: _Peer) -> bool:
        answer = peer.take_answer()
        if answer is None:
            return False
        send, delivery = answer
        log = self._log
        try:
            delivery.result()
        except DeliveryError as error:
            self._say_once(peer, error.what, reason=str(error))
            self._outbox.not_sent(send, reason=str(error), steps_aside=error.this_file_only)
        except Exception as error:  # this process's one catch-all: the file waits, others flow
            log.error("not sent", peer=send.peer, exc_info=error)
            peer.went_wrong(type(error).__name__)
            self._outbox.not_sent(send, reason=fault_words(error), steps_aside=True)
        else:
            if peer.trouble:
                log.info("peer takes files again", peer=send.peer)
            peer.went_well()
            self._outbox.sent(send)
        return True

    def _say_once(self, peer: _Peer, what: str, *, reason: str) -> None:
        """Trouble is said when it starts, not at every try."""
        if peer.trouble != what:
            self._log.warning("peer does not take files", peer=peer.destination.name, reason=reason)
        peer.went_wrong(what)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
        self._proof_shelf.__exit__(None, None, None)


def run_sender(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        Sender(settings=settings, layout=layout, clock=clock, database=database) as sender,
    ):
        sender.run(stop)
