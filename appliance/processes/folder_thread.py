# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The thread of a watched folder: it looks, copies, hands copies to the loop, and may wait for a share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.config import IntakeSettings
from appliance.errors import StoreError
from appliance.intake.claim import Spool
from appliance.monitor.silent_folder import silent_words
from appliance.processes.claims import Claim
from appliance.processes.folder import WatchedFolder
from appliance.processes.lander import Outcome
from appliance.store.settled import SettledFile

SILENT_S: Final = 6.0
"""A folder that has not answered anything for this long does not answer. What is waited for is one listed
name or one MiB of a file, so a slow share is not meant."""
BATCHES_AHEAD: Final = 3
"""Copies that wait for the loop: one is landed, one is in the jail, one is being made."""
TROUBLE_PAUSE_S: Final = 1.0
"""How long a folder waits after the disk, or the jail, failed a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Files with their copies, from a folder's thread. Answer with what became of them."""

    claims: Sequence[Claim]
    answer: Callable[[Sequence[Outcome] | None], None]
    """None: they could not be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    claims: Sequence[Claim]
    outcomes: Sequence[Outcome] | None


class _Stop:
    """The last message to a thread."""


class FolderThread:
    """A watched folder and the thread that may wait for it.

    What the loop reads here is written by the thread alone, one number or reference at a time.
    """

    def __init__(
        self,
        settings: IntakeSettings,
        *,
        folder: Path,
        spool: Spool,
        clock: Clock,
        deliver: Callable[[Found | StoreError], None],
        to_remember: Callable[[Sequence[SettledFile]], None],
        to_forget: Callable[[Sequence[Path]], None],
    ) -> None:
        """The callables are called from the thread; see `Inbox`."""
        self.path = folder
        self.looking_at = self.delivered = 0
        self.any_unread = True
        """Until it was listed once, nobody knows."""
        self.silent_words = ""
        self._clock = clock
        self._deliver = deliver
        self._to_remember, self._to_forget = to_remember, to_forget
        self._mail: SimpleQueue[Path | _Answer | _Stop | None] = SimpleQueue()
        self._folder = WatchedFolder(
            settings, folder=folder, spool=spool, clock=clock, hint=self._mail.put, alive=self._answers
        )
        self._answered_ns: int | None = None
        """When the folder answered last, if it is being asked now."""
        self._unanswered = 0
        self._retry_at_ns = clock.monotonic_ns()
        self._fault: BaseException | None = None
        self._thread = Thread(target=self._run, name="watched folder", daemon=True)
        self._log = structlog.get_logger()

    def start(self, settled: Sequence[SettledFile]) -> None:
        """`settled`: what was dealt with in an earlier run."""
        self._folder.settle(settled)
        self._answers()
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        self._mail.put(_Stop())

    def join(self, limit_s: float) -> None:
        """Wait until it has."""
        self._thread.join(limit_s)

    def look_after(self) -> None:
        """Say it when the folder stops answering, and when it answers again. Raises what the thread did."""
        if self._fault is not None:
            raise self._fault
        answered_ns, now_ns = self._answered_ns, self._clock.monotonic_ns()
        silent_s = 0.0 if answered_ns is None else (now_ns - answered_ns) / NS_PER_S
        if silent_s < SILENT_S:
            if self.silent_words:
                self._log.warning("a watched folder answers again")
            self.silent_words = ""
        elif not self.silent_words:
            since = self._clock.now_utc() - timedelta(seconds=silent_s)
            self.silent_words = silent_words(self.path, _local(since))
            self._log.warning("a watched folder does not answer", silent_s=round(silent_s, 1))

    def _run(self) -> None:
        try:
            with self._folder:
                while self._turn():
                    pass
        except BaseException as error:  # noqa: BLE001 - raised again in the loop, which ends the process
            self._fault = error

    def _turn(self) -> bool:
        """Do what is due, then wait. False: told to stop."""
        self._answers()
        self._to_forget(self._folder.rescan_if_due())
        more = False
        if self._unanswered < BATCHES_AHEAD and self._clock.monotonic_ns() >= self._retry_at_ns:
            more = self._hand_over()
        self.looking_at, self.any_unread = len(self._folder), self._folder.any_unread()
        return self._listen(0 if more else self._wait_s())

    def _hand_over(self) -> bool:
        claims, trouble = self._folder.claim()
        self.looking_at = len(self._folder)
        if claims:
            self._unanswered += 1
            self.delivered += len(claims)
            self._deliver(
                Found(
                    claims=claims,
                    answer=lambda outcomes: self._mail.put(_Answer(claims=claims, outcomes=outcomes)),
                )
            )
        if trouble is not None:
            self._pause()
            self._deliver(trouble)
        return bool(claims) and trouble is None

    def _wait_s(self) -> float:
        not_before_ns = self._retry_at_ns
        if self._unanswered >= BATCHES_AHEAD:  # the next answer wakes it
            not_before_ns = self._clock.monotonic_ns() + NS_PER_S
        due_ns = self._folder.next_due_ns(not_before_ns=not_before_ns)
        return max(0, due_ns - self._clock.monotonic_ns()) / NS_PER_S

    def _listen(self, wait_s: float) -> bool:
        """Read what has come, if need be after waiting. False: told to stop."""
        self._answered_ns = None  # nobody asks it
        try:
            message = self._mail.get(timeout=wait_s) if wait_s > 0 else self._mail.get_nowait()
            self._answers()
            while True:
                if isinstance(message, _Stop):
                    return False
                if isinstance(message, _Answer):
                    self._take_answer(message)
                else:
                    self._folder.notice(message)
                message = self._mail.get_nowait()
        except Empty:
            return True

    def _take_answer(self, message: _Answer) -> None:
        self._unanswered -= 1
        if message.outcomes is None:
            self._pause()
        self._to_remember(self._folder.answered(message.claims, message.outcomes))

    def _pause(self) -> None:
        self._retry_at_ns = self._clock.monotonic_ns() + round(TROUBLE_PAUSE_S * NS_PER_S)

    def _answers(self) -> None:
        self._answered_ns = self._clock.monotonic_ns()


def _local(utc: datetime) -> str:
    return f"{utc.astimezone():%H:%M}"
