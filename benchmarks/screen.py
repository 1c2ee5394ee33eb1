# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The kiosk of an appliance that is being measured: paints what comes, and somebody keeps every image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.clock import Clock
from appliance.store.board import BoardEntry
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.opinions import Act, Opinions
from benchmarks.appliance_run import Appliance
from benchmarks.painting import PaintWatch, can_paint, watched_kiosk


class Screen:
    """One window, and the store that its person's decisions go to."""

    def __init__(self, kiosk: PaintWatch, database: Database) -> None:
        self._kiosk = kiosk
        self._decisions = Decisions(database)
        self._opinions = Opinions(database)

    def painted_ns(self, entry: BoardEntry) -> int:
        """When its verdict was first on the screen.

        Then it is opened, told of and kept: what nobody has read stays above what comes, until the list is
        full.
        """
        painted_ns = self._kiosk.painted_ns(entry.acquisition_id)
        for act in (Act.SEEN, Act.TOLD):
            self._opinions.did(entry.acquisition_id, entry.version, act)
        self._decisions.decide(entry.acquisition_id, entry.version, Choice.KEEP, reason=None)
        return painted_ns


@contextmanager
def kiosk_on(appliance: Appliance, clock: Clock) -> Iterator[Screen | None]:
    """The appliance's screen; None where the kiosk is not installed."""
    if not can_paint():
        yield None
        return
    layout = appliance.layout
    with (
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        watched_kiosk(layout.data, clock) as kiosk,
    ):
        yield Screen(kiosk, database)
