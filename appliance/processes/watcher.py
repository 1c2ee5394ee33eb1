# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The watcher: both doors, the spool, and which files make an acquisition.

One loop owns the store and the jail. The threads of the watched folders and of the associations copy what
comes, and put it into the loop's mailbox. Nothing is acknowledged before its copy and its row are durable;
while the disk does not take files, senders are told to come back, the inbox waits, and work resumes by
itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.errors import EngineError, ScansideError, StoreError
from appliance.intake.claim import Spool
from appliance.intake.jail import Jail
from appliance.intake.listener import (
    CANNOT_UNDERSTAND,
    OUT_OF_RESOURCES,
    SUCCESS,
    Answer,
    AssociationEnded,
    CommitmentReports,
    Listener,
    Received,
)
from appliance.intake.step_door import StepReport
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.turned_away import TurnedAwayFile
from appliance.processes.claims import land
from appliance.processes.folder_thread import Found
from appliance.processes.gathering import Gathering
from appliance.processes.inbox import Inbox
from appliance.processes.lander import Arrival, Describes, Fate, Lander, Outcome, Pending, sent
from appliance.processes.lock import only_one
from appliance.processes.proof_door import ProofDoor
from appliance.processes.reports import StepReports
from appliance.processes.volume import DiskReplacedError, Volume, in_words
from appliance.store.commitments import Commitments
from appliance.store.connection import Database
from appliance.store.landing import Landings
from appliance.store.performed import PerformedSteps
from appliance.store.proofs import Proofs
from appliance.store.settled import SettledFiles

NAME: Final = "watcher"
LONGEST_SLEEP_S: Final = 0.5
"""The loop turns at least this often, to show life and to notice that it should stop."""
UNREAD_PAUSE_S: Final = 0.1
"""How long a series that has been quiet waits at a time for a file that nobody has read yet."""
MESSAGES_AT_ONCE: Final = 200
"""Messages taken before files of a folder are landed, so that neither door can starve the other."""
TROUBLE_PAUSE_S: Final = 1.0
"""How long after the disk failed it is tried again; senders are told to come back."""

_OWN_FAULT: Final = "A fault of the software ended the reading of this file. Please report it."
Message = Found | Received | AssociationEnded | StepReport | StoreError
"""Files of a watched folder; what the DICOM door has to say; what either suffers."""


class Watcher:
    """The loop."""

    def __init__(
        self,
        *,
        settings: Settings,
        layout: Layout,
        clock: Clock,
        database: Database,
        describes: Describes,
        spool: Spool,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._spool = spool
        self._log = structlog.get_logger()
        self._mail: SimpleQueue[Message] = SimpleQueue()
        self._begun: deque[tuple[Found, Mapping[str, Pending] | None]] = deque()
        """The jail looks into these while those before them are landed."""
        self._closing = False
        self._trouble: ScansideError | None = None
        self._retry_at_ns = clock.monotonic_ns()
        self._beat = Heartbeat(layout.run, NAME, clock)
        self._commitments = Commitments(database)
        self._confirming = frozenset(peer.ae_title for peer in settings.sender.peers if peer.commitment)
        self._turned_away = TurnedAwayFile(layout.run, clock)
        self._volume = Volume(layout.data, spool, database)
        peers = tuple(peer.name for peer in settings.everybody if peer.wants_originals)
        landings = Landings(database, peers_for_originals=peers)
        performed = PerformedSteps(database)
        self._gathering = Gathering(
            landings, performed, clock=clock, series_quiet_s=settings.intake.series_quiet_s
        )
        self._step_reports = StepReports(performed, self._gathering)
        self._lander = Lander(
            landings=landings,
            proofs=Proofs(database),
            spool=spool,
            describes=describes,
            gathering=self._gathering,
            layout=layout,
            clock=clock,
        )
        self._proof_door = ProofDoor(settings, layout, clock, describes)
        self._inbox = Inbox(
            settings.intake,
            inbox=layout.inbox,
            spool=spool,
            settled_files=SettledFiles(database),
            clock=clock,
            deliver=self._deliver,
        )

    def run(self, stop: Event) -> None:
        """Open the doors and work until told to stop. Raises ConfigError when a door cannot be opened."""
        swept = self._spool.sweep()
        if swept:
            self._log.info("removed unfinished copies of an interrupted run", count=swept)
        self._gathering.resume()
        with ExitStack() as doors:
            doors.enter_context(self._proof_door)
            doors.enter_context(self._inbox)
            listener = None
            if self._settings.listener.enabled:
                listener = doors.enter_context(self._listener())
            while not stop.is_set():
                wait_s = self._step()
                self._proof_door.step(busy=len(self._inbox) > 0 or not self._mail.empty())
                self._beat.beat(self._state())
                if listener is not None:
                    self._turned_away.write(listener.turned_away())
                self._rest(min(wait_s, LONGEST_SLEEP_S))
            self._close()

    def _listener(self) -> Listener:
        return Listener(
            self._settings.listener,
            max_bytes=self._settings.intake.max_file_bytes,
            spool=self._spool,
            deliver=self._deliver,
            clock=self._clock,
            reports=CommitmentReports(ae_titles=self._confirming, take=self._commitments.report),
        )

    def _state(self) -> str:
        """In words: what it is doing, or what is in its way."""
        if self._trouble is not None:
            doing = f"not receiving: {self._trouble}"
        else:
            count = len(self._inbox)
            doing = f"looking at {count} files in the inbox" if count else "waiting"
        return "; ".join((doing, *self._inbox.silent()))

    def _step(self) -> float:
        """Do what is due. Returns the seconds until something else will be; 0 when there is more to do."""
        self._read([self._mail.get() for _ in range(min(self._mail.qsize(), MESSAGES_AT_ONCE))])
        if self._begun:
            self._land(*self._begun.popleft())
            return 0.0
        if self._clock.monotonic_ns() >= self._retry_at_ns:
            try:
                if isinstance(self._trouble, StoreError):
                    self._volume.require_both()
                    self._can_receive()
                self._between_files()
            except (StoreError, EngineError) as error:
                self._cannot_receive(error)
        quiet_ns = self._gathering.next_due_ns()
        if quiet_ns is None:
            return LONGEST_SLEEP_S
        if self._inbox.any_unread():
            return UNREAD_PAUSE_S
        return max(0, max(quiet_ns, self._retry_at_ns) - self._clock.monotonic_ns()) / NS_PER_S

    def _between_files(self) -> None:
        """What can wait until no file is to be landed. Raises StoreError."""
        self._gathering.settle_reported()
        if self._gathering.next_due_ns() is not None and not self._inbox.any_unread():
            self._gathering.settle_quiet()  # an unread file could be of the series that seems to be quiet
        self._inbox.remember(if_due=True)

    def _begin(self, found: Found) -> Mapping[str, Pending] | None:
        """Have its files looked into ahead of their turn; None: that has to wait until it comes."""
        copies = [claim.arrival for claim in found.claims if claim.refusal is None]
        try:
            return self._lander.begin(copies)
        except Exception:  # noqa: BLE001 - whatever it is, taking them meets it again, and says so
            return None

    def _land(self, found: Found, begun: Mapping[str, Pending] | None) -> None:
        """Take over what a watched folder brought, and answer."""

        def take_over(arrivals: Sequence[Arrival]) -> list[Outcome]:
            return self._take_over(arrivals, begun)

        outcomes: list[Outcome] | None = None
        try:
            outcomes = land(found.claims, self._lander, take_over)
            self._inbox.remember(if_due=True)
        except (StoreError, EngineError) as error:
            self._cannot_receive(error)
        finally:
            self._inbox.landed(found)
            found.answer(outcomes)

    def _rest(self, wait_s: float) -> None:
        if wait_s <= 0:
            return
        try:
            message = self._mail.get(timeout=wait_s)
        except Empty:
            return
        self._read([message])

    def _read(self, messages: list[Message]) -> None:
        """Everything in its order; images that wait one behind the other are taken together."""
        images: list[Received] = []
        for message in messages:
            if isinstance(message, Received):
                images.append(message)
                continue
            if isinstance(message, Found):
                self._begun.append((message, self._begin(message)))
                continue
            self._receive(images)
            images = []
            if isinstance(message, StoreError):
                self._cannot_receive(message)
                continue
            if isinstance(message, StepReport):
                self._step_reports.take(message)
                continue
            try:
                self._gathering.association_ended(message.association, released=message.released)
            except StoreError as error:  # the quiet time will settle what this would have settled
                self._cannot_receive(error)
        self._receive(images)

    def _receive(self, messages: list[Received]) -> None:
        """Take over what associations brought, and answer."""
        # Who is not running has been told to come back, and the listener has removed the part.
        waiting = [message for message in messages if message.answer.set_running_or_notify_cancel()]
        if not waiting:
            return
        try:
            outcomes = self._take_over([sent(message, self._settings.listener) for message in waiting])
        except (StoreError, EngineError) as error:
            self._cannot_receive(error)
            for message in waiting:
                message.answer.set_result(Answer(status=OUT_OF_RESOURCES, words=error.what))
            return
        for message, outcome in zip(waiting, outcomes, strict=True):
            if outcome.acquisition_id is not None:
                self._gathering.carried(message.association, outcome.acquisition_id)
            refused = outcome.fate is Fate.QUARANTINED
            message.answer.set_result(
                Answer(status=CANNOT_UNDERSTAND, words=outcome.words) if refused else Answer(status=SUCCESS)
            )

    def _take_over(
        self, arrivals: Sequence[Arrival], begun: Mapping[str, Pending] | None = None
    ) -> list[Outcome]:
        """Land parts. Raises StoreError or EngineError: then nothing was taken, and the parts are gone."""
        try:
            outcomes = self._lander.take(arrivals, begun=begun)
        except (StoreError, EngineError, OSError) as error:  # the last: sources are not looked at any more
            for arrival in arrivals:
                self._spool.discard(arrival.part)
            raise in_words(error) from error
        except Exception:  # noqa: BLE001 - the one catch-all: this file is set aside, others flow
            if len(arrivals) > 1:
                return [outcome for arrival in arrivals for outcome in self._take_over([arrival])]
            self._log.exception("a fault while taking a file over")
            outcomes = [self._lander.set_aside(arrivals[0], _OWN_FAULT)]
        self._can_receive()
        return outcomes

    def _can_receive(self) -> None:
        if self._trouble is not None:
            self._log.info("receiving again")
            self._trouble = None

    def _cannot_receive(self, error: ScansideError) -> None:
        """Nothing is acknowledged until the disk takes files again; said when it starts."""
        self._retry_at_ns = self._clock.monotonic_ns() + round(TROUBLE_PAUSE_S * NS_PER_S)
        if self._trouble is None or self._trouble.what != error.what:
            self._log.error("not receiving", reason=str(error))
        self._trouble = error
        if self._volume.was_replaced():
            raise DiskReplacedError

    def _deliver(self, message: Message) -> None:
        """Called by the threads of watched folders and of associations."""
        if self._closing and isinstance(message, Found | Received | StepReport):
            self._turn_away(message)
        else:
            self._mail.put(message)

    def _close(self) -> None:
        """Tell senders to come back, and write down what the next run should know."""
        self._closing = True
        waiting: list[Found | Received | StepReport] = [found for found, _ in self._begun]
        while not self._mail.empty():
            message = self._mail.get()
            if isinstance(message, Found | Received | StepReport):
                waiting.append(message)
        for message in waiting:
            self._turn_away(message)
        self._inbox.stop()
        try:
            self._inbox.remember()
            self._gathering.write_down()
        except StoreError as error:  # both only save the next run some waiting
            self._log.warning("the next run will look at the inbox again", reason=str(error))

    def _turn_away(self, message: Found | Received | StepReport) -> None:
        if isinstance(message, StepReport):
            self._step_reports.turn_away(message)
        elif isinstance(message, Found):
            for claim in message.claims:
                if claim.refusal is None:
                    self._spool.discard(claim.arrival.part)
        elif message.answer.set_running_or_notify_cancel():
            self._spool.discard(message.part)
            message.answer.set_result(Answer(status=OUT_OF_RESOURCES, words="stopping, send again later"))


def run_watcher(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        Jail(settings.reading, clock=clock) as jail,
    ):
        Watcher(
            settings=settings,
            layout=layout,
            clock=clock,
            database=database,
            describes=jail,
            spool=Spool(layout),
        ).run(stop)
