# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The watcher: both doors, the spool, and which files make an acquisition.

One loop owns all state. The observer's and the associations' threads only put messages into its mailbox;
files of the inbox wait in `Waiting` until they are finished. Nothing is acknowledged, and no file of the
inbox deleted, before its copy and its row are durable.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.config import Layout, Settings
from appliance.domain.acquisition import Door, Urgency
from appliance.errors import StoreError
from appliance.intake.claim import NotPlainFileError, Part, Spool, require_plain
from appliance.intake.complete import Candidate, Look, Signature, Waiting
from appliance.intake.listener import (
    CANNOT_UNDERSTAND,
    OUT_OF_RESOURCES,
    SUCCESS,
    Answer,
    AssociationEnded,
    Listener,
    Received,
)
from appliance.intake.notices import Notices
from appliance.monitor.heartbeat import Heartbeat
from appliance.processes.gathering import Gathering
from appliance.processes.lander import Describes, Fate, Lander, Origin, Outcome
from appliance.processes.lock import only_one
from appliance.store.connection import Database
from appliance.store.landing import Landings
from appliance.store.settled import SettledFile, SettledFiles

NAME: Final = "watcher"
LONGEST_SLEEP_S: Final = 0.5
"""The loop turns at least this often, to show life and to notice that it should stop."""
SOON_S: Final = 0.1
"""A changed folder asks for a listing; a whole tree that is copied in asks once."""
MESSAGES_AT_ONCE: Final = 200
"""Messages taken before files are looked at again, so that neither door can starve the other."""
STORAGE_PAUSE_S: Final = 1.0
"""How long files wait after the disk refused one; senders are told to come back."""
SOURCE_PAUSE_S: Final = 5.0
"""How long a file waits that could not be read (permissions, a share that is away)."""
REMEMBER_AFTER_S: Final = 1.0
"""Settled files are remembered in batches: each one is a flush of the disk."""
REMEMBER_AT_ONCE: Final = 500

Message = Path | None | Received | AssociationEnded
"""A name that may be finished; a wish to list the folders; what the DICOM door has to say."""


class Watcher:
    """The loop. A context manager: inside the block the doors are open."""

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
        self._closing = False
        intake = settings.intake
        self._waiting = Waiting(
            look_interval_s=intake.look_interval_s, truncated_after_s=intake.truncated_after_s
        )
        peers = tuple(peer.name for peer in settings.sender.peers if peer.originals)
        landings = Landings(database, peers_for_originals=peers)
        self._gathering = Gathering(landings, clock=clock, series_quiet_s=intake.series_quiet_s)
        self._lander = Lander(
            landings=landings,
            spool=spool,
            describes=describes,
            gathering=self._gathering,
            layout=layout,
            clock=clock,
        )
        self._settled_files = SettledFiles(database)
        self._to_remember: list[SettledFile] = []
        roots = tuple(dict.fromkeys(folder.absolute() for folder in (layout.inbox, *intake.folders)))
        self._notices = Notices(roots, events=intake.events, hint=self._mail.put)
        now_ns = clock.monotonic_ns()
        self._rescan_at_ns = now_ns
        self._remember_at_ns = now_ns
        self._storage_trouble: StoreError | None = None
        self._storage_retry_ns = now_ns
        self._beat = Heartbeat(layout.run, NAME, clock)

    def run(self, stop: Event) -> None:
        """Open the doors and work until told to stop. Raises ConfigError when a door cannot be opened."""
        with ExitStack() as doors:
            self._open(doors)
            while not stop.is_set():
                wait_s = self.step()
                self._beat.beat(self.state())
                if wait_s > 0:
                    self._rest(min(wait_s, LONGEST_SLEEP_S))
            self._close()

    def state(self) -> str:
        """In words: what it is doing, or what is in its way."""
        if self._storage_trouble is not None:
            return f"not receiving: {self._storage_trouble}"
        count = len(self._waiting)
        return f"{count} files in the inbox are being looked at" if count else "waiting"

    def step(self) -> float:
        """Do what is due. Returns the seconds until something else will be; 0 when there is more to do."""
        self._read_mail()
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._rescan_at_ns:
            self._rescan(now_ns)
        if now_ns >= self._storage_retry_ns:
            candidate = self._waiting.due(now_ns)
            if candidate is not None:
                self._look(candidate)
                return 0.0
            self._between_files(now_ns)
        return self._idle_s()

    def _idle_s(self) -> float:
        due_ns = self._rescan_at_ns
        for other_ns in (self._gathering.next_due_ns(), self._waiting.next_look_ns()):
            if other_ns is not None:
                due_ns = min(due_ns, max(other_ns, self._storage_retry_ns))
        return max(0, due_ns - self._clock.monotonic_ns()) / NS_PER_S

    def _open(self, doors: ExitStack) -> None:
        """Sweep up after the last run, take up what it knew, and open the doors."""
        swept = self._spool.sweep()
        if swept:
            self._log.info("removed unfinished copies of an interrupted run", count=swept)
        self._settled_files.forget_missing()
        for file in self._settled_files.every():
            self._notices.settle(file.path, Signature(file.size_bytes, file.mtime_ns, file.inode))
        self._gathering.resume()
        doors.enter_context(self._notices)
        if self._settings.listener.enabled:
            doors.enter_context(
                Listener(
                    self._settings.listener,
                    max_bytes=self._settings.intake.max_file_bytes,
                    spool=self._spool,
                    deliver=self._deliver,
                    clock=self._clock,
                )
            )

    def _close(self) -> None:
        """Tell senders to come back, and write down what the next run should know."""
        self._closing = True
        while not self._mail.empty():
            message = self._mail.get()
            if isinstance(message, Received):
                self._turn_away(message)
        try:
            self._remember()
            self._gathering.write_down()
        except StoreError as error:  # both only save the next run some waiting
            self._log.warning("the next run will look at everything again", reason=str(error))

    def _deliver(self, message: Received | AssociationEnded) -> None:
        """Called by the threads of associations."""
        if self._closing and isinstance(message, Received):
            self._turn_away(message)
        else:
            self._mail.put(message)

    def _turn_away(self, message: Received) -> None:
        self._spool.discard(message.part)
        if message.answer.set_running_or_notify_cancel():
            message.answer.set_result(Answer(status=OUT_OF_RESOURCES, words="stopping, send again later"))

    def _rest(self, wait_s: float) -> None:
        try:
            message = self._mail.get(timeout=wait_s)
        except Empty:
            return
        self._take(message)

    def _read_mail(self) -> None:
        for _ in range(min(self._mail.qsize(), MESSAGES_AT_ONCE)):  # nobody else takes any out
            self._take(self._mail.get())

    def _take(self, message: Message) -> None:
        now_ns = self._clock.monotonic_ns()
        if message is None:
            self._rescan_at_ns = min(self._rescan_at_ns, now_ns + round(SOON_S * NS_PER_S))
        elif isinstance(message, Path):
            self._waiting.notice(message, urgency=Urgency.LIVE, now_ns=now_ns)
        elif isinstance(message, Received):
            self._receive(message)
        else:
            try:
                self._gathering.association_ended(message.association, released=message.released)
            except StoreError as error:  # the quiet time will settle what this would have settled
                self._storage_failed(error)

    def _rescan(self, now_ns: int) -> None:
        self._rescan_at_ns = now_ns + round(self._settings.intake.rescan_interval_s * NS_PER_S)
        for sighting in self._notices.rescan(self._clock.now_utc()):
            self._waiting.notice(
                sighting.path, urgency=sighting.urgency, now_ns=now_ns, signature=sighting.signature
            )

    def _between_files(self, now_ns: int) -> None:
        """What can wait until no file is due."""
        try:
            due_ns = self._gathering.next_due_ns()
            if due_ns is not None and not self._waiting.any_unread():
                # An unread file may belong to the very series that seems to have gone quiet.
                self._gathering.settle_quiet()
            if self._to_remember and now_ns >= self._remember_at_ns:
                self._remember()
        except StoreError as error:
            self._storage_failed(error)

    def _look(self, candidate: Candidate) -> None:
        """Look at a file of the inbox, and take it if it is finished, or will never be."""
        now_ns = self._clock.monotonic_ns()
        try:
            look = self._waiting.look(candidate, now_ns)
            if look in (Look.READY, Look.OVERDUE):
                self._claim(candidate, started_ns=now_ns, final=look is Look.OVERDUE)
        except StoreError as error:
            self._storage_failed(error)
        except FileNotFoundError:
            self._waiting.forget(candidate.path)
        except OSError as error:  # the source's: a share that is away, permissions
            self._log.warning("a file in the inbox cannot be read", reason=error.strerror)
            self._waiting.later(candidate, self._clock.monotonic_ns(), wait_s=SOURCE_PAUSE_S)

    def _claim(self, candidate: Candidate, *, started_ns: int, final: bool) -> None:
        limit_bytes = self._settings.intake.max_file_bytes
        assert candidate.signature is not None  # two looks have seen it
        try:
            require_plain(candidate.path.lstat(), max_bytes=limit_bytes)  # pipes and links are not opened
            part = self._spool.copy(
                candidate.path, candidate.signature, max_bytes=limit_bytes, still_open_ok=final
            )
        except NotPlainFileError as error:
            self._lander.refuse(_origin(candidate), str(error))
            self._settle(candidate)
            return
        if part is None:
            words = "still being written"
        else:
            outcome = self._take_over(part, _origin(candidate), final=final)
            if outcome.fate is not Fate.UNFINISHED:
                self._settle(candidate)
                return
            words = outcome.words
        self._waiting.unfinished(candidate, words, started_ns=started_ns, now_ns=self._clock.monotonic_ns())

    def _take_over(self, part: Part, origin: Origin, *, final: bool) -> Outcome:
        try:
            outcome = self._lander.take(part, origin, final=final)
        except StoreError:
            self._spool.discard(part)
            raise
        except Exception as error:  # this process's one catch-all: the file is set aside, others flow
            self._log.error("a fault while taking a file over", exc_info=error)
            words = f"A fault of the software: {type(error).__name__}. Please report it."
            outcome = self._lander.set_aside(part, origin, words)
        self._storage_works()
        return outcome

    def _settle(self, candidate: Candidate) -> None:
        """It is dealt with, as it is now."""
        self._waiting.forget(candidate.path)
        assert candidate.signature is not None  # two looks have seen it
        if self._settings.intake.delete_after_landing and self._delete(candidate):
            return
        self._notices.settle(candidate.path, candidate.signature)
        if not self._to_remember:
            self._remember_at_ns = self._clock.monotonic_ns() + round(REMEMBER_AFTER_S * NS_PER_S)
        self._to_remember.append(
            SettledFile(
                path=candidate.path,
                size_bytes=candidate.signature.size_bytes,
                mtime_ns=candidate.signature.mtime_ns,
                inode=candidate.signature.inode,
            )
        )
        if len(self._to_remember) >= REMEMBER_AT_ONCE:
            self._remember()

    def _delete(self, candidate: Candidate) -> bool:
        """Delete a plain file of the inbox whose copy is durable, unless it has changed since."""
        try:
            status = candidate.path.lstat()
            require_plain(status, max_bytes=self._settings.intake.max_file_bytes)
            if Signature.of(status) != candidate.signature:
                return False
            candidate.path.unlink()
        except (NotPlainFileError, OSError):
            return False
        return True

    def _remember(self) -> None:
        self._settled_files.remember(self._to_remember)
        self._to_remember = []

    def _receive(self, message: Received) -> None:
        """Take over what an association brought, and answer."""
        if not message.answer.set_running_or_notify_cancel():
            return  # its sender has been told to come back, and the listener has removed the part
        stat = message.calling_ae_title in self._settings.listener.stat_ae_titles
        origin = Origin(
            door=Door.ASSOCIATION,
            source=message.source,
            urgency=Urgency.STAT if stat else Urgency.LIVE,
            noticed_ns=message.noticed_ns,
        )
        try:
            outcome = self._take_over(message.part, origin, final=True)
        except StoreError as error:
            self._storage_failed(error)
            message.answer.set_result(Answer(status=OUT_OF_RESOURCES, words=error.what))
            return
        if outcome.acquisition_id is not None:
            self._gathering.carried(message.association, outcome.acquisition_id)
        refused = outcome.fate is Fate.QUARANTINED
        message.answer.set_result(
            Answer(status=CANNOT_UNDERSTAND, words=outcome.words) if refused else Answer(status=SUCCESS)
        )

    def _storage_failed(self, error: StoreError) -> None:
        """Nothing is acknowledged until the disk takes files again; said when it starts."""
        self._storage_retry_ns = self._clock.monotonic_ns() + round(STORAGE_PAUSE_S * NS_PER_S)
        if self._storage_trouble is None or self._storage_trouble.what != error.what:
            self._log.error("not receiving", reason=str(error))
        self._storage_trouble = error

    def _storage_works(self) -> None:
        if self._storage_trouble is not None:
            self._log.info("receiving again")
            self._storage_trouble = None


def _origin(candidate: Candidate) -> Origin:
    return Origin(
        door=Door.FOLDER,
        source=os.fsencode(candidate.path).decode("utf-8", "backslashreplace"),
        urgency=candidate.urgency,
        noticed_ns=candidate.noticed_ns,
    )


def run_watcher(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    from appliance.intake.jail import Jail

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
