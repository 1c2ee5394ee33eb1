# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a copied file to rows in the store: the same straight line for both doors.

part -> known already? -> described in the jail -> known in other bytes? -> its place in an acquisition
     -> durable -> one transaction
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Protocol

import structlog

from appliance.clock import Clock
from appliance.config import ListenerSettings
from appliance.domain.acquisition import Door, Instance, LandedFile, Urgency
from appliance.intake.assembly import MOST_COMPARED
from appliance.intake.claim import Part, Spool
from appliance.intake.description import Description, FileState
from appliance.intake.listener import Received
from appliance.layout import Layout
from appliance.processes.gathering import Gathering
from appliance.store.landing import FileStatus, Landings
from appliance.store.proofs import Proofs


class Pending(Protocol):
    """An answer on its way."""

    def description(self) -> Description:
        """What the file is, whatever is wrong with it. Raises EngineError where nobody can look."""


class Describes(Protocol):
    """Looks into files: the reading jail."""

    def begin_describe(self, path: Path, *, sha256: str) -> Pending:
        """Ask; several are answered in the order of asking."""

    def same_content(self, one: Path, other: Path) -> bool:
        """Whether two files are one image, differently written. Raises EngineError where nobody can look."""


class Fate(Enum):
    """What became of a part."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    REPEATED = "repeated"
    """This image was here already, in these bytes or in others that say the same."""
    UNFINISHED = "unfinished"
    """Bytes are missing; nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a part, with the reason in words."""

    fate: Fate
    words: str = ""
    acquisition_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A part, and where it came from."""

    part: Part
    door: Door
    source: str
    urgency: Urgency
    noticed_ns: int
    final: bool
    """No more bytes will come: what is unfinished is truncated."""
    complete_ns: int | None = None
    """When it was seen to be finished; None: an association says so itself."""


def sent(message: Received, settings: ListenerSettings) -> Arrival:
    """An image that came through an association."""
    stat = message.calling_ae_title in settings.stat_ae_titles
    return Arrival(
        part=message.part,
        door=Door.ASSOCIATION,
        source=message.source,
        urgency=Urgency.STAT if stat else Urgency.LIVE,
        noticed_ns=message.noticed_ns,
        final=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What looking into a part says, and where it will lie; None: it is not kept."""

    outcome: Outcome
    place: Path | None
    instance: Instance | None = None
    repeats: str | None = None
    """The sha256 of the file that says the same in other bytes; it is held, or came before this one."""


class Lander:
    """Takes parts over. Not thread-safe: the intake loop owns it."""

    def __init__(
        self,
        *,
        landings: Landings,
        proofs: Proofs,
        spool: Spool,
        describes: Describes,
        gathering: Gathering,
        layout: Layout,
        clock: Clock,
    ) -> None:
        self._landings = landings
        self._proofs = proofs
        self._spool = spool
        self._describes = describes
        self._gathering = gathering
        self._layout = layout
        self._clock = clock
        self._log = structlog.get_logger()

    def begin(self, arrivals: Sequence[Arrival]) -> dict[str, Pending]:
        """Have parts looked into that will be taken next, while those before them are taken."""
        asked: dict[str, Pending] = {}
        for arrival in arrivals:
            part = arrival.part
            if part.sha256 not in asked and self._landings.find(part.sha256) is None:
                asked[part.sha256] = self._describes.begin_describe(
                    self._spool.where(part), sha256=part.sha256
                )
        return asked

    def take(
        self, arrivals: Sequence[Arrival], *, begun: Mapping[str, Pending] | None = None
    ) -> list[Outcome]:
        """Land parts, in their order, in one transaction. They are gone afterwards.

        `begun`: what `begin` gave for them. Raises StoreError or EngineError: then nothing was taken, and
        what is left of the parts is to be discarded.
        """
        verdicts = self._look(arrivals, self.begin(arrivals) if begun is None else begun)
        keep: dict[Path, Part] = {}
        for arrival, verdict in zip(arrivals, verdicts, strict=True):
            if verdict.place is not None:
                keep.setdefault(verdict.place, arrival.part)
        self._spool.keep(keep)
        claimed_ns = self._clock.monotonic_ns()
        try:
            with self._landings.together():
                outcomes = [
                    self._land(arrival, verdict, claimed_ns)
                    for arrival, verdict in zip(arrivals, verdicts, strict=True)
                ]
        except BaseException:
            self._gathering.start_over()
            raise
        kept = {id(part) for part in keep.values()}
        for arrival in arrivals:
            if id(arrival.part) not in kept:
                self._spool.discard(arrival.part)
        return outcomes

    def set_aside(self, arrival: Arrival, words: str) -> Outcome:
        """Into quarantine, with the reason, unseen. Raises StoreError."""
        place = self._spool.place_of(arrival.part)
        if not place.exists():
            place = self._spool.aside_place_of(arrival.part)
            self._spool.keep({place: arrival.part})
        self._landings.land(self._landed(arrival, place), status=FileStatus.QUARANTINED, reason=words)
        return Outcome(fate=Fate.QUARANTINED, words=words)

    def refuse(self, arrival: Arrival, words: str) -> Outcome:
        """A row for something that is not read at all (a pipe, a link, too large): there is no copy of it."""
        place = self._layout.quarantine / "not-read" / arrival.part.sha256
        self._landings.land(self._landed(arrival, place), status=FileStatus.QUARANTINED, reason=words)
        self._log.warning("not read", name=arrival.part.sha256[:12], reason=words)
        return Outcome(fate=Fate.QUARANTINED, words=words)

    def _look(self, arrivals: Sequence[Arrival], asked: Mapping[str, Pending]) -> list[_Verdict]:
        descriptions = {sha256: pending.description() for sha256, pending in asked.items()}
        came: dict[str, dict[str, Path]] = {}
        verdicts = [self._verdict(arrival, descriptions.get(arrival.part.sha256)) for arrival in arrivals]
        return [
            self._unless_repeated(arrival.part, verdict, came)
            for arrival, verdict in zip(arrivals, verdicts, strict=True)
        ]

    def _unless_repeated(self, part: Part, verdict: _Verdict, came: dict[str, dict[str, Path]]) -> _Verdict:
        """An image whose name is known in other bytes may still be the same, written anew by its sender.

        `came`: where each content of a SOPInstanceUID lies, those of this batch included.
        """
        if verdict.instance is None:
            return verdict
        name = verdict.instance.sop_instance_uid
        held = came.setdefault(name, dict(self._landings.holding(name)))
        here = self._spool.where(part)
        if part.sha256 not in held:
            for sha256, place in islice(held.items(), MOST_COMPARED):
                if self._describes.same_content(here, place):
                    return _Verdict(outcome=Outcome(fate=Fate.REPEATED), place=None, repeats=sha256)
            held[part.sha256] = here
        return verdict

    def _verdict(self, arrival: Arrival, description: Description | None) -> _Verdict:
        part = arrival.part
        if description is None:
            again = self._spool.place_of(part) if self._proofs.wanted(part.sha256) else None
            return _Verdict(outcome=Outcome(fate=Fate.REPEATED), place=again)
        words = " ".join(filter(None, (description.reason, description.remedy)))
        place = self._spool.place_of(part)
        if description.state is FileState.WHOLE:
            assert description.instance is not None  # what WHOLE promises
            return _Verdict(
                outcome=Outcome(fate=Fate.ACCEPTED),
                place=place,
                instance=replace(description.instance, path=place, sha256=part.sha256),
            )
        if description.state is FileState.LEFT_ALONE:
            return _Verdict(outcome=Outcome(fate=Fate.IGNORED, words=words), place=place)
        if description.state is FileState.UNFINISHED:
            if not arrival.final:
                return _Verdict(outcome=Outcome(fate=Fate.UNFINISHED, words=words), place=None)
            words = f"truncated: {words}"
        return _Verdict(
            outcome=Outcome(fate=Fate.QUARANTINED, words=words), place=self._spool.aside_place_of(part)
        )

    def _land(self, arrival: Arrival, verdict: _Verdict, claimed_ns: int) -> Outcome:
        """Inside the transaction: rows of files before this one are seen."""
        if verdict.outcome.fate is Fate.UNFINISHED:
            return verdict.outcome
        known = self._landings.find(verdict.repeats or arrival.part.sha256)
        if known is not None:
            self._landings.came_again(known.sha256)
            if verdict.repeats is None and self._proofs.wanted(known.sha256):
                self._proofs.restored(known.sha256)
            self._log.info("the same content again, counted once", content=arrival.part.sha256[:12])
            refused = known.status is FileStatus.QUARANTINED
            return Outcome(
                fate=Fate.QUARANTINED if refused else Fate.REPEATED,
                words=known.reason or "",
                acquisition_id=known.acquisition_id,
            )
        assert verdict.place is not None  # only what is known or unfinished is not kept
        file = replace(self._landed(arrival, verdict.place), claimed_ns=claimed_ns)
        if verdict.instance is not None:
            return self._accept(arrival, file, verdict.instance)
        quarantined = verdict.outcome.fate is Fate.QUARANTINED
        status = FileStatus.QUARANTINED if quarantined else FileStatus.IGNORED
        self._landings.land(file, status=status, reason=verdict.outcome.words)
        if quarantined:
            self._log.warning("quarantined", content=file.sha256[:12])
        return verdict.outcome

    def _accept(self, arrival: Arrival, file: LandedFile, instance: Instance) -> Outcome:
        changes = self._gathering.plan(instance, urgency=arrival.urgency)
        assert changes  # only bytes that are here already change nothing, and those are counted above
        own, others = changes[0], changes[1:]
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

    def _landed(self, arrival: Arrival, path: Path) -> LandedFile:
        return LandedFile(
            path=path,
            sha256=arrival.part.sha256,
            size_bytes=arrival.part.size_bytes,
            door=arrival.door,
            source=arrival.source,
            urgency=arrival.urgency,
            landed_at_utc=self._clock.now_utc(),
            noticed_ns=arrival.noticed_ns,
            landed_ns=self._clock.monotonic_ns(),
            complete_ns=arrival.complete_ns,
        )
