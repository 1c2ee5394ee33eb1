# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a copied file to rows in the store: the same straight line for both doors.

part -> known already? -> described in the jail -> its place in an acquisition -> durable -> one transaction
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Protocol

import structlog

from appliance.clock import Clock
from appliance.config import Layout
from appliance.domain.acquisition import Door, Instance, LandedFile, Urgency
from appliance.intake.claim import Part, Spool
from appliance.intake.description import Description, FileState
from appliance.processes.gathering import Gathering
from appliance.store.landing import FileStatus, Landings


class Describes(Protocol):
    """Looks into a file: the reading jail."""

    def describe(self, path: Path, *, sha256: str) -> Description:
        """What the file is, whatever is wrong with it. Raises EngineError where nobody can look."""


class Fate(Enum):
    """What became of a part."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    REPEATED = "repeated"
    """These bytes were here already."""
    UNFINISHED = "unfinished"
    """Bytes are missing; nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a part, with the reason in words."""

    fate: Fate
    words: str = ""
    acquisition_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a part came from."""

    door: Door
    source: str
    urgency: Urgency
    noticed_ns: int


class Lander:
    """Takes parts over. Not thread-safe: the intake loop owns it."""

    def __init__(
        self,
        *,
        landings: Landings,
        spool: Spool,
        describes: Describes,
        gathering: Gathering,
        layout: Layout,
        clock: Clock,
    ) -> None:
        self._landings = landings
        self._spool = spool
        self._describes = describes
        self._gathering = gathering
        self._layout = layout
        self._clock = clock
        self._log = structlog.get_logger()

    def take(self, part: Part, origin: Origin, *, final: bool) -> Outcome:
        """Land a part. `final`: no more bytes will come, so what is unfinished is truncated.

        The part is gone afterwards. Raises StoreError or EngineError: then nothing was taken, and the part
        is still there or was removed.
        """
        known = self._landings.find(part.sha256)
        if known is not None:
            self._landings.came_again(part.sha256)
            self._spool.discard(part)
            self._log.info("the same content again, counted once", content=part.sha256[:12])
            return Outcome(fate=Fate.REPEATED, words=known.reason or "", acquisition_id=known.acquisition_id)
        description = self._describes.describe(part.path, sha256=part.sha256)
        if description.state is FileState.WHOLE:
            assert description.instance is not None  # what WHOLE promises
            return self._accept(part, origin, description.instance)
        words = " ".join(filter(None, (description.reason, description.remedy)))
        if description.state is FileState.LEFT_ALONE:
            file = self._landed(part, origin, self._spool.keep(part))
            self._landings.land(file, status=FileStatus.IGNORED, reason=words)
            return Outcome(fate=Fate.IGNORED, words=words)
        if description.state is FileState.UNFINISHED:
            if not final:
                self._spool.discard(part)
                return Outcome(fate=Fate.UNFINISHED, words=words)
            words = f"truncated: {words}"
        return self.set_aside(part, origin, words)

    def set_aside(self, part: Part, origin: Origin, words: str) -> Outcome:
        """Into quarantine, with the reason. Raises StoreError."""
        file = self._landed(part, origin, self._spool.set_aside(part))
        self._landings.land(file, status=FileStatus.QUARANTINED, reason=words)
        self._log.warning("quarantined", content=part.sha256[:12])
        return Outcome(fate=Fate.QUARANTINED, words=words)

    def refuse(self, origin: Origin, words: str) -> None:
        """A row for something that is not read at all (a pipe, a link, too large): there is no copy of it.

        It has no content to be named by, so it goes by a hash of where it was seen.
        """
        name = hashlib.sha256(f"not read: {origin.source}".encode()).hexdigest()
        part = Part(path=self._layout.quarantine, sha256=name, size_bytes=0)
        file = self._landed(part, origin, self._layout.quarantine / "not-read" / name)
        self._landings.land(file, status=FileStatus.QUARANTINED, reason=words)
        self._log.warning("not read", name=name[:12], reason=words)

    def _accept(self, part: Part, origin: Origin, described: Instance) -> Outcome:
        instance = replace(described, path=self._spool.place_of(part))
        changes = self._gathering.plan(instance, urgency=origin.urgency)
        assert changes  # only bytes that are here already change nothing, and those were counted above
        own, others = changes[0], changes[1:]
        file = self._landed(part, origin, self._spool.keep(part))
        self._landings.land(
            file,
            status=FileStatus.ACCEPTED,
            instance=instance,
            acquisition=own.acquisition,
            queue=own.queue,
            quiet_left_s=self._gathering.quiet_left_s(own.acquisition),
            amended=tuple(other.acquisition for other in others),
        )
        self._gathering.stored(changes)
        return Outcome(fate=Fate.ACCEPTED, acquisition_id=own.acquisition.acquisition_id)

    def _landed(self, part: Part, origin: Origin, path: Path) -> LandedFile:
        return LandedFile(
            path=path,
            sha256=part.sha256,
            size_bytes=part.size_bytes,
            door=origin.door,
            source=origin.source,
            urgency=origin.urgency,
            landed_at_utc=self._clock.now_utc(),
            noticed_ns=origin.noticed_ns,
            landed_ns=self._clock.monotonic_ns(),
        )
