# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Noticing that something lies in a watched folder. Events are hints; listing the folders is the truth.

The kernel's events come within a millisecond, but they are lost when its queue overflows, when a watch dies
with a deleted folder, and always on shares that another machine writes to. So every few seconds the folders
are listed, and whatever is there and was never settled is noticed, whatever events said.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import structlog
from typing_extensions import Self
from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from appliance.domain.acquisition import Urgency
from appliance.intake.complete import Signature

UNFINISHED_SUFFIXES: Final = (".part", ".partial", ".tmp")
"""Names that senders rename when they are done: rsync, browsers, curl scripts, most routers."""
FULL_LISTING_EVERY: Final = 5
"""A listing compares names and inodes, which costs no system call per file; every fifth one also compares
sizes and times, to find a settled file that was changed in place without an event."""
FRESH_S: Final = 600.0
"""A file present at the start that is younger than this was probably acquired just now (the appliance was
restarted during a scan); anything older is backlog."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Something unsettled was in a folder when it was listed."""

    path: Path
    signature: Signature
    urgency: Urgency


def ignored(name: str) -> bool:
    """Names that nobody means us to take: hidden ones, and those that will be renamed when finished."""
    return name.startswith(".") or name.lower().endswith(UNFINISHED_SUFFIXES)


class Notices:
    """Watches folders and everything below them. A context manager; `rescan` belongs to one thread.

    `hint(path)` is called from a thread of the observer for a file that was closed or moved into place,
    `hint(None)` when the folders should be listed soon.
    """

    def __init__(
        self,
        folders: tuple[Path, ...],
        *,
        events: bool,
        hint: Callable[[Path | None], None],
        alive: Callable[[], None] = lambda: None,
        waits: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`alive` is called for each name that a listing has brought; what `waits` is not told again."""
        self._roots = folders
        self._alive, self._waits = alive, waits
        self._handler = _Hints(hint)
        self._want_events = events
        self._observer: Any = None
        self._watched: dict[Path, tuple[tuple[int, int], Any]] = {}
        self._settled: dict[str, dict[str, Signature]] = {}
        self._absent: set[Path] = set()
        self._listings = 0

    @property
    def by_events(self) -> bool:
        """False: the folders are only listed, because settings or the system's limits say so."""
        return self._observer is not None

    def __enter__(self) -> Self:
        if self._want_events:
            self._start_events()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop_events()

    def settle(self, path: Path, signature: Signature) -> None:
        """This content of this file is dealt with: it is noticed again only when it changes."""
        self._settled.setdefault(str(path.parent), {})[path.name] = signature

    def settled(self, path: Path) -> Signature | None:
        """The content of this file that was dealt with; None: none, or it was not there any more."""
        return self._settled.get(str(path.parent), {}).get(path.name)

    def rescan(self, now_utc: datetime) -> list[Sighting]:
        """List the folders: what is not settled. Also mends watches that have died."""
        self._mend_watches()
        first = self._listings == 0
        full = self._listings % FULL_LISTING_EVERY == 0
        self._listings += 1
        fresh_from_s = now_utc.timestamp() - FRESH_S if first else None
        sightings: list[Sighting] = []
        for root in self._roots:
            self._list(root, sightings, full=full, fresh_from_s=fresh_from_s)
        return sightings

    def _list(self, root: Path, sightings: list[Sighting], *, full: bool, fresh_from_s: float | None) -> None:
        folders = [str(root)]
        listed: set[str] = set()
        while folders:
            folder = folders.pop()
            settled = self._settled.get(folder, {})
            present: dict[str, Signature] = {}
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        self._alive()
                        known = settled.get(entry.name)
                        if known is not None and not full and known.inode == entry.inode():
                            found: Signature | Sighting | None = known
                        elif ignored(entry.name):
                            continue
                        elif entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                            continue
                        elif self._waits(entry.path):
                            continue
                        else:
                            found = _look(entry, known, fresh_from_s)
                        _sort_in(entry.name, found, sightings, present)
            except OSError as error:
                self._cannot_list(root, folder, error)
                continue
            listed.add(folder)
            if settled or present:
                self._settled[folder] = present
        if str(root) in listed:
            self._can_list(root)
            self._drop_removed(str(root), listed)

    def _drop_removed(self, root: str, listed: set[str]) -> None:
        below = root + os.sep
        for folder in [f for f in self._settled if f not in listed and f.startswith(below)]:
            if not os.path.isdir(folder):  # noqa: PTH112 - a string key, asked for thousands of folders
                del self._settled[folder]

    def _cannot_list(self, root: Path, folder: str, error: OSError) -> None:
        if folder == str(root) and root not in self._absent:
            self._absent.add(root)
            _log.warning(
                "watched folder cannot be listed", reason=error.strerror, number=self._roots.index(root)
            )

    def _can_list(self, root: Path) -> None:
        if root in self._absent:
            self._absent.discard(root)
            _log.warning("watched folder is back", number=self._roots.index(root))

    def _start_events(self) -> None:
        from watchdog.observers.inotify import InotifyObserver  # noqa: PLC0415 - Linux only, polling elsewhere

        try:
            self._observer = InotifyObserver(generate_full_events=True)
            self._observer.start()
        except OSError as error:
            self._give_up_events(error)
            return
        self._mend_watches()

    def _stop_events(self) -> None:
        observer, self._observer = self._observer, None
        self._watched.clear()
        if observer is not None:
            if observer.is_alive():
                observer.stop()
                observer.join()
            else:
                observer.on_thread_stop()

    def _give_up_events(self, error: OSError) -> None:
        _log.warning(
            "file events are not available, folders are listed instead",
            reason=error.strerror,
            remedy="Raise fs.inotify.max_user_watches or max_user_instances (sysctl).",
        )
        self._stop_events()

    def _mend_watches(self) -> None:
        """Watch every root that is there, again if it is another folder than before or its watch died."""
        if self._observer is None:
            return
        alive = {emitter.watch for emitter in self._observer.emitters if emitter.is_alive()}
        for root in self._roots:
            try:
                status = root.stat()
            except OSError:
                continue
            identity = (status.st_dev, status.st_ino)
            before = self._watched.get(root)
            if before is not None:
                if before[0] == identity and before[1] in alive:
                    continue
                self._observer.unschedule(before[1])
                del self._watched[root]
            try:
                watch = self._observer.schedule(
                    self._handler,
                    str(root),
                    recursive=True,
                    event_filter=[FileClosedEvent, FileMovedEvent, DirMovedEvent, DirCreatedEvent],
                )
            except OSError as error:
                self._give_up_events(error)
                return
            self._watched[root] = (identity, watch)


class _Hints(FileSystemEventHandler):
    """Passes on what matters of an event: a finished name, or that folders changed."""

    def __init__(self, hint: Callable[[Path | None], None]) -> None:
        self._hint = hint

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called by the observer's thread."""
        if event.is_directory:
            self._hint(None)
            return
        moved = isinstance(event, FileMovedEvent)
        name = os.fsdecode(event.dest_path if moved else event.src_path)
        if name and not ignored(os.path.basename(name)):  # noqa: PTH119 - thousands a second
            self._hint(Path(name))


def _look(
    entry: os.DirEntry[str], known: Signature | None, fresh_from_s: float | None
) -> Sighting | Signature | None:
    """What is behind an entry: its signature when settled, a sighting when not, None when it has gone."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    signature = Signature.of(status)
    if signature == known:
        return signature
    backlog = fresh_from_s is not None and status.st_mtime < fresh_from_s
    return Sighting(
        path=Path(entry.path),
        signature=signature,
        urgency=Urgency.BACKFILL if backlog else Urgency.LIVE,
    )


def _sort_in(
    name: str,
    found: Signature | Sighting | None,
    sightings: list[Sighting],
    present: dict[str, Signature],
) -> None:
    if isinstance(found, Sighting):
        sightings.append(found)
    elif found is not None:
        present[name] = found
