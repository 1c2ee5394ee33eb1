# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One watched folder: from a name that was noticed to a finished copy of the file in the spool.

Everything that asks the folder's file system for something is in here, and nothing that asks the store: so
a share that does not answer keeps only its own thread waiting (inbox.py). The folder belongs to whoever puts
files there. Nothing in it is changed or deleted, unless the settings say so, and then only after the copy
and its row are durable.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import MIB, IntakeSettings
from appliance.domain.acquisition import Door, Urgency
from appliance.errors import StoreError
from appliance.intake.claim import NotPlainFileError, Part, Spool, require_plain
from appliance.intake.complete import Candidate, Look, Signature, Waiting
from appliance.intake.notices import Notices
from appliance.processes.claims import Claim
from appliance.processes.lander import Arrival, Fate, Outcome
from appliance.store.settled import SettledFile

SOON_S: Final = 0.1
"""A changed folder asks for a listing; a whole tree that is copied in asks once."""
LONGEST_LISTING_PAUSE_S: Final = 10.0
"""A listing that took long (many thousands of files, a slow share) is followed by a pause as long: files are
copied for half of the time at least. But never by a longer one than this, or than `rescan_interval_s`."""
SOURCE_PAUSE_S: Final = 5.0
"""How long a file waits that could not be read (permissions, a share that is away)."""
FILES_AT_ONCE: Final = 128
"""Files of a burst that share one flush of the disk. A single file never waits for others."""
BYTES_AT_ONCE: Final = 16 * MIB
"""But no more than about one radiograph's worth: what is urgent waits for few such batches at most."""
LOOKS_AT_ONCE: Final = 256
"""Looks before hints are read again."""


class WatchedFolder:
    """A context manager; not thread-safe: one thread owns it, and may wait in it as long as a share hangs.

    `alive` is called whenever the folder has answered something.
    """

    def __init__(
        self,
        settings: IntakeSettings,
        *,
        folder: Path,
        spool: Spool,
        clock: Clock,
        hint: Callable[[Path | None], None],
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = folder
        self._settings = settings
        self._spool = spool
        self._clock = clock
        self._alive = alive
        self._log = structlog.get_logger()
        self._waiting = Waiting(
            look_interval_s=settings.look_interval_s, truncated_after_s=settings.truncated_after_s
        )
        self._notices = Notices((folder,), events=settings.events, hint=hint, alive=alive, waits=self._waits)
        self._claimed: set[str] = set()
        self._remembered: set[Path] = set()
        self._source_trouble: str | None = None
        self._rescan_at_ns = clock.monotonic_ns()

    def __enter__(self) -> Self:
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

    def any_unread(self) -> bool:
        """Whether a file waits whose content nobody knows yet: it may belong to anything."""
        return bool(self._claimed) or self._waiting.any_unread()

    def settle(self, files: Iterable[SettledFile]) -> None:
        """These were dealt with before, as they were."""
        for file in files:
            self._notices.settle(file.path, Signature(file.size_bytes, file.mtime_ns, file.inode))
            self._remembered.add(file.path)

    def _waits(self, name: str) -> bool:
        return name in self._waiting or name in self._claimed

    def notice(self, path: Path | None) -> None:
        """A name that may be finished; None: the folder should be listed soon."""
        now_ns = self._clock.monotonic_ns()
        if path is None:
            self._rescan_at_ns = min(self._rescan_at_ns, now_ns + round(SOON_S * NS_PER_S))
        else:
            self._waiting.notice(path, urgency=Urgency.LIVE, now_ns=now_ns)

    def rescan_if_due(self) -> list[Path]:
        """List the folder, every `rescan_interval_s` or when asked to.

        Returns those of the files given to `settle` that are not there any more, once.
        """
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._rescan_at_ns:
            return []
        for sighting in self._notices.rescan(self._clock.now_utc()):
            self._waiting.notice(
                sighting.path, urgency=sighting.urgency, now_ns=now_ns, signature=sighting.signature
            )
        done_ns = self._clock.monotonic_ns()
        took_s = (done_ns - now_ns) / NS_PER_S
        pause_s = max(self._settings.rescan_interval_s, min(took_s, LONGEST_LISTING_PAUSE_S))
        self._rescan_at_ns = done_ns + round(pause_s * NS_PER_S)
        gone = [path for path in self._remembered if self._notices.settled(path) is None]
        self._remembered.clear()
        return gone

    def next_due_ns(self, *, not_before_ns: int) -> int:
        """When there is something to do, if no file may be taken before `not_before_ns`."""
        next_look_ns = self._waiting.next_look_ns()
        if next_look_ns is None:
            return self._rescan_at_ns
        return min(self._rescan_at_ns, max(next_look_ns, not_before_ns))

    def claim(self) -> tuple[list[Claim], StoreError | None]:
        """Look at the files that are due, and copy those that are finished, or will never be.

        They are out of the queue until they are `answered`. The error is the spool's: what was copied
        before it can be landed, all else waits as it is.
        """
        started_ns = self._clock.monotonic_ns()
        claims: list[Claim] = []
        looked, size_bytes = 0, 0
        while len(claims) < FILES_AT_ONCE and size_bytes < BYTES_AT_ONCE and looked < LOOKS_AT_ONCE:
            candidate = self._waiting.due(self._clock.monotonic_ns())
            if candidate is None:
                break
            looked += 1
            try:
                claim = self._look(candidate, started_ns)
            except StoreError as error:
                return claims, error
            if claim is not None:
                claims.append(claim)
                size_bytes += claim.arrival.part.size_bytes
        return claims, None

    def answered(self, claims: Sequence[Claim], outcomes: Sequence[Outcome] | None) -> list[SettledFile]:
        """What became of them; None: they could not be taken. Returns those to remember as dealt with."""
        settled = []
        for number, claim in enumerate(claims):
            self._claimed.discard(str(claim.candidate.path))
            if outcomes is None:
                self._waiting.put_back(claim.candidate)
            elif outcomes[number].fate is Fate.UNFINISHED:
                self._waiting.unfinished(
                    claim.candidate,
                    outcomes[number].words,
                    started_ns=claim.started_ns,
                    now_ns=self._clock.monotonic_ns(),
                )
            elif not (self._settings.delete_after_landing and self._delete(claim.candidate)):
                file = claim.settled()
                self._notices.settle(file.path, Signature(file.size_bytes, file.mtime_ns, file.inode))
                settled.append(file)
        return settled

    def _look(self, candidate: Candidate, started_ns: int) -> Claim | None:
        """Look at a file; if it is ready, copy it."""
        now_ns = self._clock.monotonic_ns()
        if str(candidate.path) in self._claimed:  # a hint came late, or it changed while its copy is landed
            self._waiting.later(candidate, now_ns, wait_s=self._settings.look_interval_s)
            return None
        claim = None
        try:
            look = self._waiting.look(candidate, now_ns)
            self._alive()
            if look in (Look.READY, Look.OVERDUE):
                claim = self._claim(candidate, started_ns, complete_ns=now_ns, final=look is Look.OVERDUE)
        except FileNotFoundError:
            self._waiting.forget(candidate.path)
        except OSError as error:  # the source's: a share that is away, permissions
            if not candidate.tried and error.strerror != self._source_trouble:
                self._log.warning("a file in the inbox cannot be read", reason=error.strerror)
            self._source_trouble = error.strerror  # a share with thousands of files says it once
            self._waiting.later(candidate, self._clock.monotonic_ns(), wait_s=SOURCE_PAUSE_S)
        if claim is not None:
            self._source_trouble = None
            self._waiting.forget(candidate.path)
            self._claimed.add(str(candidate.path))
        return claim

    def _claim(self, candidate: Candidate, started_ns: int, *, complete_ns: int, final: bool) -> Claim | None:
        limit_bytes = self._settings.max_file_bytes
        assert candidate.signature is not None  # two looks have seen it
        if self._notices.settled(candidate.path) == candidate.signature:
            self._waiting.forget(candidate.path)  # a hint that came after a listing had found it
            return None
        try:
            require_plain(candidate.path.lstat(), max_bytes=limit_bytes)  # pipes and links are not opened
            part = self._spool.copy(
                candidate.path,
                candidate.signature,
                max_bytes=limit_bytes,
                still_open_ok=final,
                alive=self._alive,
            )
        except NotPlainFileError as error:
            source = _source(candidate)
            name = hashlib.sha256(f"not read: {source}".encode()).hexdigest()
            nothing = Part(path=candidate.path, sha256=name, size_bytes=0)  # it has no content to name it by
            return Claim(
                candidate=candidate,
                arrival=_arrival(nothing, candidate, final=True),
                started_ns=started_ns,
                refusal=str(error),
            )
        if part is None:
            self._waiting.still_open(candidate, self._clock.monotonic_ns())
            return None
        arrival = _arrival(part, candidate, final=final, complete_ns=complete_ns)
        return Claim(candidate=candidate, arrival=arrival, started_ns=started_ns)

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
