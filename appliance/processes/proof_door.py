# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The watcher's part in the test exam: a watched folder that leads into the exam's own store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import IntakeSettings, Settings
from appliance.errors import EngineError, StoreError
from appliance.intake.claim import Spool
from appliance.layout import Layout
from appliance.processes.claims import land
from appliance.processes.folder import WatchedFolder
from appliance.processes.gathering import Gathering
from appliance.processes.lander import Arrival, Describes, Lander, Outcome
from appliance.processes.proof_store import RECEIVER, ProofStore
from appliance.store.connection import Database
from appliance.store.landing import Landings
from appliance.store.performed import PerformedSteps
from appliance.store.proofs import Proofs

LOOK_INTERVAL_S: Final = 0.2
LOOKS: Final = 3
"""A file is taken at the second; whatever else lies there waits for the next turn."""
PATIENCE_S: Final = 10.0
"""While patients' files come, the test exam waits; but not longer than this."""


class ProofDoor:
    """A second inbox, looked at by the loop itself, with the same jail. A context manager."""

    def __init__(self, settings: Settings, layout: Layout, clock: Clock, describes: Describes) -> None:
        self._settings = IntakeSettings(
            events=False,
            rescan_interval_s=LOOK_INTERVAL_S,
            look_interval_s=settings.intake.look_interval_s,
            delete_after_landing=True,
        )
        self._quiet_s = settings.intake.series_quiet_s
        self._clock = clock
        self._describes = describes
        self._store = ProofStore(layout, clock, opened=self._build)
        self._spool = Spool(self._store.layout)
        self._looked_ns = clock.monotonic_ns()

    def _build(self, database: Database) -> None:
        landings = Landings(database, peers_for_originals=(RECEIVER,))
        performed = PerformedSteps(database)
        self._gathering = Gathering(landings, performed, clock=self._clock, series_quiet_s=self._quiet_s)
        self._lander = Lander(
            landings=landings,
            proofs=Proofs(database),
            spool=self._spool,
            describes=self._describes,
            gathering=self._gathering,
            layout=self._store.layout,
            clock=self._clock,
        )
        self._folder = WatchedFolder(
            self._settings,
            folder=self._store.layout.inbox,
            spool=self._spool,
            clock=self._clock,
            hint=_no_hint,
        )
        self._spool.sweep()

    def step(self, *, busy: bool) -> None:
        """Look into the folder when it is time. Never raises what would stop the watcher."""
        now_ns = self._clock.monotonic_ns()
        wait_s = PATIENCE_S if busy else LOOK_INTERVAL_S
        if now_ns - self._looked_ns < wait_s * NS_PER_S:
            return
        self._looked_ns = now_ns
        if not self._store.ready():
            return
        try:
            self._folder.rescan_if_due()
            for _ in range(LOOKS):
                if not self._take_what_is_due():
                    break
                self._clock.sleep(self._settings.look_interval_s)
        except Exception as error:  # noqa: BLE001  a test exam that stumbles has failed; the doors stay open
            self._store.trouble(error)

    def _take_what_is_due(self) -> bool:
        """False: there is nothing to look at. Raises StoreError, EngineError."""
        before = len(self._folder)
        claims, trouble = self._folder.claim()
        if claims:
            try:
                outcomes = land(claims, self._lander, self._take_over)
            except (StoreError, EngineError):
                self._folder.answered(claims, None)
                raise
            self._folder.answered(claims, outcomes)
        if trouble is not None:
            raise trouble
        return before > 0

    def _take_over(self, arrivals: Sequence[Arrival]) -> list[Outcome]:
        try:
            outcomes = self._lander.take(arrivals)
        except (StoreError, EngineError):
            for arrival in arrivals:
                self._spool.discard(arrival.part)
            raise
        self._gathering.start_over()  # the next exam is another one: nothing is to be kept at hand
        return outcomes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()


def _no_hint(path: Path | None) -> None:
    """The folder is listed; nobody gives events."""
