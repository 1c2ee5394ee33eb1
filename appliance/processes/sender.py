# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The sender: turns committed results into DICOM objects, and hands originals and objects to the peers.

Nothing that waits is ever dropped: a peer that is away is tried again with growing pauses, for ever, and
the order is kept. One peer's trouble delays no other.
"""

from __future__ import annotations

from threading import Event
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.config import Layout, PeerSettings, SenderSettings, Settings
from appliance.errors import DeliveryError
from appliance.monitor.heartbeat import Heartbeat
from appliance.outputs.base import Destination
from appliance.outputs.dicom_send import DicomPeer
from appliance.outputs.durable import write_durably
from appliance.outputs.rendering import render_everything
from appliance.processes.lock import only_one
from appliance.store.connection import Database
from appliance.store.landing import Landings
from appliance.store.outbox import Outbox, Render
from appliance.store.results import Results

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

    def may_be_tried(self) -> bool:
        return self._clock.monotonic_ns() >= self._not_before_ns

    def went_well(self) -> None:
        self._pause_s = self._settings.retry_first_s
        self.trouble = None

    def went_wrong(self, words: str) -> None:
        self.trouble = words
        self._not_before_ns = self._clock.monotonic_ns() + round(self._pause_s * NS_PER_S)
        self._pause_s = min(self._pause_s * BACKOFF_FACTOR, self._settings.retry_longest_s)


class Sender:
    """Works the outbox off."""

    def __init__(self, *, settings: Settings, layout: Layout, clock: Clock, database: Database) -> None:
        self._layout = layout
        self._log = structlog.get_logger()
        self._outbox = Outbox(database)
        self._landings = Landings(database)
        self._results = Results(database)
        self._beat = Heartbeat(layout.run, NAME, clock)
        self._result_peers = tuple(peer.name for peer in settings.sender.peers if peer.results)
        own_ae_title = settings.listener.ae_title
        self._peers = tuple(
            _Peer(_destination(peer, own_ae_title), settings.sender, clock) for peer in settings.sender.peers
        )

    def run(self, stop: Event) -> None:
        """Work until told to stop."""
        while not stop.is_set():
            worked = self.step()
            troubles = [peer.trouble for peer in self._peers if peer.trouble]
            self._beat.beat("; ".join(troubles) or "waiting")
            if not worked:
                stop.wait(IDLE_POLL_S)

    def step(self) -> bool:
        """One result rendered, or one file sent to each peer that can be tried. False: nothing to do."""
        worked = False
        for peer in self._peers:
            worked |= self._send_next(peer)
        render = self._outbox.next_render()
        if render is not None:
            self._render(render)
            worked = True
        return worked

    def _send_next(self, peer: _Peer) -> bool:
        if not peer.may_be_tried():
            return False
        send = self._outbox.next_send(peer.destination.name)
        if send is None:
            return False
        try:
            peer.destination.deliver(send.path)
        except DeliveryError as error:
            if peer.trouble != error.what:  # said when it starts, not at every try
                self._log.warning("peer does not take files", peer=send.peer, reason=str(error))
            peer.went_wrong(error.what)
            self._outbox.not_sent(send, reason=str(error))
            return False
        if peer.trouble:
            self._log.info("peer takes files again", peer=send.peer)
        peer.went_well()
        self._outbox.sent(send)
        return True

    def _render(self, render: Render) -> None:
        """Write the result's objects; one that cannot be made is said, and the next one goes on."""
        acquisition = self._landings.acquisition(render.acquisition_id)
        result = self._results.of(render.acquisition_id, render.version, render.lane)
        if acquisition is None or result is None or acquisition.version != render.version:
            self._outbox.render_failed(render, reason="superseded before it was rendered")
            return
        folder = self._layout.results_of(render.acquisition_id, render.version)
        paths = [self._layout.data / derived.path for derived in result.derived]
        for rendered in render_everything(acquisition, result):
            folder.mkdir(parents=True, exist_ok=True)
            write_durably(folder / rendered.file_name, rendered.content)
            paths.append(folder / rendered.file_name)
        self._outbox.rendered(render, paths=tuple(paths), peers=self._result_peers)


def _destination(peer: PeerSettings, own_ae_title: str) -> Destination:
    return DicomPeer(
        name=peer.name,
        host=peer.host,
        port=peer.port,
        ae_title=peer.ae_title,
        own_ae_title=own_ae_title,
    )


def run_sender(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
    ):
        Sender(settings=settings, layout=layout, clock=clock, database=database).run(stop)
