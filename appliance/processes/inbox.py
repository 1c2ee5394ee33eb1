# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The folder door: from a name that was noticed to a file that is taken over, and remembered as such.

The inbox belongs to whoever puts files there. Nothing in it is changed or deleted, unless the settings say
so, and then only after the copy and its row are durable.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

import structlog
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import IntakeSettings
from appliance.domain.acquisition import Door, Urgency
from appliance.intake.claim import NotPlainFileError, Part, Spool, require_plain
from appliance.intake.complete import Candidate, Look, Signature, Waiting
from appliance.intake.notices import Notices
from appliance.processes.lander import Fate, Lander, Origin, Outcome
from appliance.store.settled import SettledFile, SettledFiles

SOON_S: Final = 0.1
"""A changed folder asks for a listing; a whole tree that is copied in asks once."""
SOURCE_PAUSE_S: Final = 5.0
"""How long a file waits that could not be read (permissions, a share that is away)."""
REMEMBER_AFTER_S: Final = 1.0
"""Settled files are remembered in batches: each one is a flush of the disk."""
REMEMBER_AT_ONCE: Final = 500


class TakeOver(Protocol):
    """Lands a part; what the watcher's loop does with it."""

    def __call__(self, part: Part, origin: Origin, *, final: bool) -> Outcome:
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
        self._rescan_at_ns = now_ns + round(self._settings.rescan_interval_s * NS_PER_S)

    def next_due_ns(self, *, not_before_ns: int) -> int:
        """When there is something to do, if no file may be taken before `not_before_ns`."""
        next_look_ns = self._waiting.next_look_ns()
        if next_look_ns is None:
            return self._rescan_at_ns
        return min(self._rescan_at_ns, max(next_look_ns, not_before_ns))

    def any_unread(self) -> bool:
        """Whether a file waits whose content nobody knows yet: it may belong to anything."""
        return self._waiting.any_unread()

    def look_at_next(self) -> bool:
        """Look at the file that is due, and take it if it is finished, or will never be. False: none is.

        Raises StoreError or EngineError: the file waits as it is.
        """
        now_ns = self._clock.monotonic_ns()
        candidate = self._waiting.due(now_ns)
        if candidate is None:
            return False
        try:
            look = self._waiting.look(candidate, now_ns)
            if look in (Look.READY, Look.OVERDUE):
                self._claim(candidate, started_ns=now_ns, final=look is Look.OVERDUE)
        except FileNotFoundError:
            self._waiting.forget(candidate.path)
        except OSError as error:  # the source's: a share that is away, permissions
            self._log.warning("a file in the inbox cannot be read", reason=error.strerror)
            self._waiting.later(candidate, self._clock.monotonic_ns(), wait_s=SOURCE_PAUSE_S)
        return True

    def remember(self, *, if_due: bool = False) -> None:
        """Write down what was dealt with, so that a restart does not read it again. Raises StoreError."""
        if self._to_remember and (not if_due or self._clock.monotonic_ns() >= self._remember_at_ns):
            self._settled_files.remember(self._to_remember)
            self._to_remember = []

    def _claim(self, candidate: Candidate, *, started_ns: int, final: bool) -> None:
        limit_bytes = self._settings.max_file_bytes
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

    def _settle(self, candidate: Candidate) -> None:
        """It is dealt with, as it is now."""
        self._waiting.forget(candidate.path)
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


def _origin(candidate: Candidate) -> Origin:
    return Origin(
        door=Door.FOLDER,
        source=os.fsencode(candidate.path).decode("utf-8", "backslashreplace"),
        urgency=candidate.urgency,
        noticed_ns=candidate.noticed_ns,
    )
