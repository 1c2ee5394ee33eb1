# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The folder door: every watched folder has a thread that looks, copies, and hands its copies to the loop.

A share whose server does not answer keeps whoever asks it waiting, for minutes or for ever. So only the
folder's own thread asks it; the loop, the other folders and the DICOM door never do. The loop sees that
nothing has come back for a while, says so, and goes on without; the thread goes on when the share answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import IntakeSettings
from appliance.errors import StoreError
from appliance.intake.claim import Spool
from appliance.processes.folder_thread import FolderThread, Found
from appliance.store.settled import SettledFile, SettledFiles

REMEMBER_AFTER_S: Final = 1.0
"""Settled files are remembered in batches: each one is a flush of the disk."""
REMEMBER_AT_ONCE: Final = 500
STOP_LIMIT_S: Final = 5.0
"""For a folder to finish what it is doing. One that hangs is left: its thread ends with the process."""


class Inbox:
    """The watched folders. A context manager; the intake loop owns it.

    `deliver` is called from the folders' threads: with files, or with what the spool suffers from.
    """

    def __init__(
        self,
        settings: IntakeSettings,
        *,
        inbox: Path,
        spool: Spool,
        settled_files: SettledFiles,
        clock: Clock,
        deliver: Callable[[Found | StoreError], None],
    ) -> None:
        self._settled_files = settled_files
        self._clock = clock
        self._to_remember: deque[SettledFile] = deque()
        self._to_forget: deque[Path] = deque()
        self._remember_at_ns: int | None = None
        self._landed = 0
        folders = tuple(dict.fromkeys(folder.absolute() for folder in (inbox, *settings.folders)))
        self._threads = tuple(
            FolderThread(
                settings,
                folder=folder,
                spool=spool,
                clock=clock,
                deliver=deliver,
                to_remember=self._to_remember.extend,
                to_forget=self._to_forget.extend,
            )
            for folder in folders
            if not any(folder.is_relative_to(other) for other in folders if other != folder)
        )

    def __enter__(self) -> Self:
        roots = {thread.path: thread for thread in self._threads}
        known: dict[FolderThread, list[SettledFile]] = {thread: [] for thread in self._threads}
        for file in self._settled_files.every():
            for parent in file.path.parents:
                if parent in roots:
                    known[roots[parent]].append(file)
                    break
        for thread, files in known.items():
            thread.start(files)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """No folder is looked at any more; what was answered is ready to be remembered."""
        for thread in self._threads:
            thread.stop()
        for thread in self._threads:
            thread.join(0 if thread.silent_words else STOP_LIMIT_S)

    def __len__(self) -> int:
        """How many files are being looked at, or wait for the loop."""
        return sum(thread.looking_at + thread.delivered for thread in self._threads) - self._landed

    def landed(self, found: Found) -> None:
        """These are not waiting for the loop any more, whatever became of them."""
        self._landed += len(found.claims)

    def any_unread(self) -> bool:
        """Whether a file waits whose content nobody knows yet: it may belong to anything.

        What lies on a share that does not answer is not waited for.
        """
        return any(thread.any_unread for thread in self._threads if not thread.silent_words)

    def silent(self) -> tuple[str, ...]:
        """In words: which folders do not answer, since when. Raises what a thread has ended with."""
        for thread in self._threads:
            thread.look_after()
        return tuple(thread.silent_words for thread in self._threads if thread.silent_words)

    def remember(self, *, if_due: bool = False) -> None:
        """Write down what was dealt with, so that a restart does not read it again. Raises StoreError."""
        if not self._to_remember and not self._to_forget:
            return
        if if_due and len(self._to_remember) < REMEMBER_AT_ONCE:
            now_ns = self._clock.monotonic_ns()
            if self._remember_at_ns is None:
                self._remember_at_ns = now_ns + round(REMEMBER_AFTER_S * NS_PER_S)
            if now_ns < self._remember_at_ns:
                return
        self._remember_at_ns = None
        forget, remember = _drained(self._to_forget), _drained(self._to_remember)
        try:
            self._settled_files.change(forget=forget, remember=remember)
        except StoreError:
            self._to_forget.extendleft(reversed(forget))
            self._to_remember.extendleft(reversed(remember))
            raise


T = TypeVar("T")


def _drained(waiting: deque[T]) -> list[T]:
    """What is there now; the threads may be adding more."""
    return [waiting.popleft() for _ in range(len(waiting))]
