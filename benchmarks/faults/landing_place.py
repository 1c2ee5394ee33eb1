# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Everything behind the doors, on a real store, with a clock that only its owner moves.

Files are looked into without a process of their own: they are harmless, and there are very many.
"""

from __future__ import annotations

from pathlib import Path

from appliance.clock import ManualClock
from appliance.config import MIB
from appliance.domain.acquisition import Door, Urgency
from appliance.intake.claim import Spool
from appliance.intake.description import Description
from appliance.intake.look import describe
from appliance.intake.same_content import same_content
from appliance.layout import Layout
from appliance.processes.gathering import Gathering
from appliance.processes.lander import Arrival, Lander, Outcome
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.landing import Landings
from appliance.store.performed import PerformedSteps
from appliance.store.proofs import Proofs


class Looked:
    """A description that is there already."""

    def __init__(self, description: Description) -> None:
        self._description = description

    def description(self) -> Description:
        """See `Pending.description`."""
        return self._description


class NoJail:
    """Looks into harmless files in this process."""

    compared = 0

    def begin_describe(self, path: Path, *, sha256: str) -> Looked:
        """See `Describes.begin_describe`."""
        del sha256
        return Looked(describe(path, max_frame_bytes=MIB))

    def same_content(self, one: Path, other: Path) -> bool:
        """See `Describes.same_content`."""
        self.compared += 1
        return same_content(one, other, max_frame_bytes=MIB)


class LandingPlace:
    """Lander, gathering and store; `restart` makes them again on the same store."""

    def __init__(
        self, layout: Layout, database: Database, clock: ManualClock, *, series_quiet_s: float
    ) -> None:
        self.layout, self.database, self.clock = layout, database, clock
        self.spool = Spool(layout, reserve_bytes=0)
        self.board = Board(database)
        self.no_jail = NoJail()
        self._series_quiet_s = series_quiet_s
        self.restart()

    def restart(self) -> None:
        """As a new process does: only the store knows anything."""
        self.landings = Landings(self.database)
        self.gathering = Gathering(
            self.landings,
            PerformedSteps(self.database),
            clock=self.clock,
            series_quiet_s=self._series_quiet_s,
        )
        self.gathering.resume()
        self.lander = Lander(
            proofs=Proofs(self.database),
            landings=self.landings,
            spool=self.spool,
            describes=self.no_jail,
            gathering=self.gathering,
            layout=self.layout,
            clock=self.clock,
        )

    def arrival(self, content: bytes, *, final: bool = False) -> Arrival:
        """A file that has just been copied."""
        with self.spool.receive() as incoming:
            incoming.write(content)
            part = incoming.finish()
        return Arrival(
            part=part,
            door=Door.FOLDER,
            source="a.dcm",
            urgency=Urgency.LIVE,
            noticed_ns=self.clock.monotonic_ns(),
            final=final,
        )

    def take(self, *contents: bytes, final: bool = False) -> list[Outcome]:
        """Land files together."""
        return self.lander.take([self.arrival(content, final=final) for content in contents])
