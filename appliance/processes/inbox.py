# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The folder door: from a name that was noticed to a file that is taken over, and remembered as such.

The inbox belongs to whoever puts files there. Nothing in it is changed or deleted, unless the settings say
so, and then only after the copy and its row are durable.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

import structlog
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import MIB, IntakeSettings
from appliance.domain.acquisition import Door, Urgency
from appliance.errors import EngineError, StoreError
from appliance.intake.claim import NotPlainFileError, Part, Spool, require_plain
from appliance.intake.complete import Candidate, Look, Signature, Waiting
from appliance.intake.notices import Notices
from appliance.processes.lander import Arrival, Fate, Lander, Outcome
from appliance.store.settled import SettledFile, SettledFiles

SOON_S: Final = 0.1
"""A changed folder asks for a listing; a whole tree that is copied in asks once."""
LISTING_COST_FACTOR: Final = 3
"""A listing that took long (many thousands of files, a slow share) is followed by a pause this many times as
long: files are taken for three quarters of the time at least."""
LONGEST_RESCAN_PAUSE_S: Final = 30.0
"""But never by a longer one than the longest `rescan_interval_s` that may be set."""
SOURCE_PAUSE_S: Final = 5.0
"""How long a file waits that could not be read (permissions, a share that is away)."""
FILES_AT_ONCE: Final = 32
"""Files of a burst that share one flush of the disk. A single file never waits for others."""
BYTES_AT_ONCE: Final = 16 * MIB
"""But no more than about one radiograph's worth: what is urgent waits for one such batch at most."""
LOOKS_AT_ONCE: Final = 256
"""Looks before the mailbox is read again."""
REMEMBER_AFTER_S: Final = 1.0
"""Settled files are remembered in batches: each one is a flush of the disk."""
REMEMBER_AT_ONCE: Final = 500


class TakeOver(Protocol):
    """Lands parts; what the watcher's loop does with them."""

    def __call__(self, arrivals: Sequence[Arrival]) -> list[Outcome]:
        """Raises StoreError or EngineError: then nothing was taken."""


class Inbox:
    """The watched folders. A context manager; not thread-safe: the intake loop owns it."""

    def __init__(
        self,
        settings: IntakeSettings,
        *,
        inbox: Path,
        spool: Spool,
        lander: Lander,
        take_over: TakeOver,
        settled_files: SettledFiles,
        clock: Clock,
        hint: Callable[[Path | None], None],
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._lander = lander
        self._take_over = take_over
        self._settled_files = settled_files
        self._clock = clock
        self._log = structlog.get_logger()
        self._waiting = Waiting(
            look_interval_s=settings.look_interval_s, truncated_after_s=settings.truncated_after_s
        )
        roots = tuple(dict.fromkeys(folder.absolute() for folder in (inbox, *settings.folders)))
        self._notices = Notices(roots, events=settings.events, hint=hint)
        self._to_remember: list[SettledFile] = []
        self._source_trouble: str | None = None
        self._rescan_at_ns = self._remember_at_ns = clock.monotonic_ns()

    def __enter__(self) -> Self:
        self._settled_files.forget_missing()
        for file in self._settled_files.every():
            self._notices.settle(file.path, Signature(file.size_bytes, file.mtime_ns, file.inode))
        self._notices.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._notices.__exit__(kind, error, trace)

    def __len__(self) -> int:
        """How many files are being looked at."""
        return len(self._waiting)

    def notice(self, path: Path | None) -> None:
        """A name that may be finished; None: the folders should be listed soon."""
        now_ns = self._clock.monotonic_ns()
        if path is None:
            self._rescan_at_ns = min(self._rescan_at_ns, now_ns + round(SOON_S * NS_PER_S))
        else:
            self._waiting.notice(path, urgency=Urgency.LIVE, now_ns=now_ns)

    def rescan_if_due(self) -> None:
        """List the folders, every `rescan_interval_s` or when asked to."""
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._rescan_at_ns:
            return
        for sighting in self._notices.rescan(self._clock.now_utc()):
            self._waiting.notice(
                sighting.path, urgency=sighting.urgency, now_ns=now_ns, signature=sighting.signature
            )
        done_ns = self._clock.monotonic_ns()
        pause_s = max(self._settings.rescan_interval_s, LISTING_COST_FACTOR * (done_ns - now_ns) / NS_PER_S)
        self._rescan_at_ns = done_ns + round(min(pause_s, LONGEST_RESCAN_PAUSE_S) * NS_PER_S)

    def next_due_ns(self, *, not_before_ns: int) -> int:
        """When there is something to do, if no file may be taken before `not_before_ns`."""
        next_look_ns = self._waiting.next_look_ns()
        if next_look_ns is None:
            return self._rescan_at_ns
        return min(self._rescan_at_ns, max(next_look_ns, not_before_ns))

    def any_unread(self) -> bool:
        """Whether a file waits whose content nobody knows yet: it may belong to anything."""
        return self._waiting.any_unread()

    def take_what_is_due(self) -> bool:
        """Look at the files that are due, and take those that are finished, or will never be. False: none is.

        Raises StoreError or EngineError: the files wait as they are.
        """
        started_ns = self._clock.monotonic_ns()
        claimed: list[tuple[Candidate, Arrival]] = []
        looked, size_bytes = 0, 0
        trouble: StoreError | None = None
        while len(claimed) < FILES_AT_ONCE and size_bytes < BYTES_AT_ONCE and looked < LOOKS_AT_ONCE:
            candidate = self._waiting.due(self._clock.monotonic_ns())
            if candidate is None:
                break
            looked += 1
            try:
                arrival = self._look(candidate)
            except StoreError as error:  # those before it have their copies: land them first
                trouble = error
                break
            if arrival is not None:
                claimed.append((candidate, arrival))
                size_bytes += arrival.part.size_bytes
        if claimed:
            self._take(claimed, started_ns=started_ns)
        if trouble is not None:
            raise trouble
        return looked > 0

    def remember(self, *, if_due: bool = False) -> None:
        """Write down what was dealt with, so that a restart does not read it again. Raises StoreError."""
        if self._to_remember and (not if_due or self._clock.monotonic_ns() >= self._remember_at_ns):
            self._settled_files.remember(self._to_remember)
            self._to_remember = []

    def _look(self, candidate: Candidate) -> Arrival | None:
        """Look at a file; if it is ready, copy it. It is out of the queue then, until it is settled."""
        now_ns = self._clock.monotonic_ns()
        try:
            look = self._waiting.look(candidate, now_ns)
            if look not in (Look.READY, Look.OVERDUE):
                return None
            arrival = self._claim(candidate, final=look is Look.OVERDUE, complete_ns=now_ns)
        except FileNotFoundError:
            self._waiting.forget(candidate.path)
            return None
        except OSError as error:  # the source's: a share that is away, permissions
            if not candidate.tried and error.strerror != self._source_trouble:
                self._log.warning("a file in the inbox cannot be read", reason=error.strerror)
            self._source_trouble = error.strerror  # a share with thousands of files says it once
            self._waiting.later(candidate, self._clock.monotonic_ns(), wait_s=SOURCE_PAUSE_S)
            return None
        if arrival is None:
            return None
        self._source_trouble = None
        self._waiting.forget(candidate.path)
        return arrival

    def _claim(self, candidate: Candidate, *, final: bool, complete_ns: int) -> Arrival | None:
        limit_bytes = self._settings.max_file_bytes
        assert candidate.signature is not None  # two looks have seen it
        try:
            require_plain(candidate.path.lstat(), max_bytes=limit_bytes)  # pipes and links are not opened
            part = self._spool.copy(
                candidate.path, candidate.signature, max_bytes=limit_bytes, still_open_ok=final
            )
        except NotPlainFileError as error:
            source = _source(candidate)
            name = hashlib.sha256(f"not read: {source}".encode()).hexdigest()
            nothing = Part(path=candidate.path, sha256=name, size_bytes=0)  # it has no content to name it by
            self._lander.refuse(_arrival(nothing, candidate, final=True), str(error))
            self._waiting.forget(candidate.path)
            self._settle(candidate)
            return None
        if part is None:
            self._waiting.still_open(candidate, self._clock.monotonic_ns())
            return None
        return _arrival(part, candidate, final=final, complete_ns=complete_ns)

    def _take(self, claimed: list[tuple[Candidate, Arrival]], *, started_ns: int) -> None:
        try:
            outcomes = self._take_over([arrival for _, arrival in claimed])
        except (StoreError, EngineError):
            for candidate, _ in claimed:
                self._waiting.put_back(candidate)
            raise
        for (candidate, _), outcome in zip(claimed, outcomes, strict=True):
            if outcome.fate is Fate.UNFINISHED:
                now_ns = self._clock.monotonic_ns()
                self._waiting.unfinished(candidate, outcome.words, started_ns=started_ns, now_ns=now_ns)
            else:
                self._settle(candidate)

    def _settle(self, candidate: Candidate) -> None:
        """It is dealt with, as it is now."""
        signature = candidate.signature
        assert signature is not None  # two looks have seen it
        if self._settings.delete_after_landing and self._delete(candidate):
            return
        self._notices.settle(candidate.path, signature)
        if not self._to_remember:
            self._remember_at_ns = self._clock.monotonic_ns() + round(REMEMBER_AFTER_S * NS_PER_S)
        self._to_remember.append(
            SettledFile(
                path=candidate.path,
                size_bytes=signature.size_bytes,
                mtime_ns=signature.mtime_ns,
                inode=signature.inode,
            )
        )
        if len(self._to_remember) >= REMEMBER_AT_ONCE:
            self.remember()

    def _delete(self, candidate: Candidate) -> bool:
        """Delete a plain file whose copy is durable, unless it has changed. False: it is still there."""
        try:
            status = candidate.path.lstat()
            require_plain(status, max_bytes=self._settings.max_file_bytes)
            if Signature.of(status) != candidate.signature:
                return False
            candidate.path.unlink()
        except (NotPlainFileError, OSError):
            return False
        return True


def _source(candidate: Candidate) -> str:
    """The path for people: what is not UTF-8 in it is shown escaped."""
    return os.fsencode(candidate.path).decode("utf-8", "backslashreplace")


def _arrival(part: Part, candidate: Candidate, *, final: bool, complete_ns: int | None = None) -> Arrival:
    return Arrival(
        part=part,
        door=Door.FOLDER,
        source=_source(candidate),
        urgency=candidate.urgency,
        noticed_ns=candidate.noticed_ns,
        final=final,
        complete_ns=complete_ns,
    )
