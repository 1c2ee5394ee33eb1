# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The worklist process: asks again and again what is expected, and keeps the last good list.

A process of its own, so that a server which hangs, floods or sends nonsense delays no image: the others only
read its rows. Without a worklist in the settings it does nothing but show that it lives.
"""

from __future__ import annotations

from threading import Event
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.errors import WorklistError
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.processes.lock import only_one
from appliance.store.connection import Database
from appliance.store.expected import Expected

NAME: Final = "worklist"
REST_S: Final = 1.0
"""Between two signs of life."""


class WorklistPoller:
    """Asks when it is time."""

    def __init__(
        self, settings: Settings, layout: Layout, clock: Clock, *, database: Database, stop: Event
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._expected = Expected(database)
        self._beat = Heartbeat(layout.run, NAME, clock)
        self._log = structlog.get_logger()
        self._due_ns = clock.monotonic_ns()
        self._trouble: str | None = None
        self._odd: tuple[bool, bool] = (False, False)
        self._state = "waiting"

    def run(self) -> None:
        """Until told to stop. Raises StoreError."""
        while not self._stop.is_set():
            self.step()
            self._beat.beat(self._state)
            self._stop.wait(REST_S)

    def step(self) -> bool:
        """Ask, if it is time. True: it was asked."""
        if self._clock.monotonic_ns() < self._due_ns:
            return False
        self._beat.beat("asking the worklist")
        try:
            self._ask()
        except WorklistError as error:
            if self._stop.is_set():
                return True  # it was us who broke off
            if self._trouble != error.what:  # said when it starts, not at every question
                self._log.warning("no worklist", reason=str(error))
            self._trouble = error.what
            self._state = f"the worklist does not answer: {error.what}"
            self._expected.failed(error.what, error.remedy)
        pause_ns = round(self._settings.worklist.poll_interval_s * NS_PER_S)
        self._due_ns = self._clock.monotonic_ns() + pause_ns
        return True

    def _ask(self) -> None:
        from appliance.intake.worklist_query import ask_worklist  # noqa: PLC0415  (small while it is off)

        answer = ask_worklist(
            self._settings.worklist,
            own_ae_title=self._settings.listener.ae_title,
            clock=self._clock,
            given_up=self._gives_up,
        )
        self._expected.replace(answer.steps, unread=answer.unread, whole=answer.whole)
        if self._trouble is not None:
            self._log.info("the worklist answers again")
            self._trouble = None
        odd = (answer.unread > 0, not answer.whole)
        if odd != self._odd and any(odd):
            self._log.warning(
                "the worklist is not whole",
                unread=answer.unread,
                cut_off_at=None if answer.whole else self._settings.worklist.most_steps,
            )
        self._odd = odd
        self._state = f"{len(answer.steps)} steps expected"

    def _gives_up(self) -> bool:
        self._beat.beat("reading the worklist")
        return self._stop.is_set()


def run_worklist(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
    ):
        WorklistPoller(settings, layout, clock, database=database, stop=stop).run()
