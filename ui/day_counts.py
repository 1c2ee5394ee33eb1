# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is counted over the day: exams checked in time, and repeats of one view of one patient."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.domain.acquisition import Instance
from appliance.store.connection import Database
from appliance.store.decisions import Decisions, RepeatOrder
from appliance.store.punctuality import Tally, tally_since

RECOUNT_S: Final = 2.0
"""The tally looks at every exam of the day: not at each of the many commits of a busy minute."""


class DayCounts:
    """Read with the board, on its thread and through its connection. The day is the device's own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._decisions = Decisions(database)
        self._clock = clock
        self._counted_ns: int | None = None
        self._repeats: tuple[RepeatOrder, ...] = ()
        self.punctuality: Tally | None = None

    def look(self) -> None:
        """Count again. Raises StoreError."""
        since, now_ns = start_of_day(self._clock.now_utc()), self._clock.monotonic_ns()
        self._repeats = self._decisions.repeats_since(since)
        if self._counted_ns is None or now_ns - self._counted_ns >= RECOUNT_S * NS_PER_S:
            self.punctuality, self._counted_ns = tally_since(self._database, since), now_ns

    def repeats_of(self, header: Instance) -> int | None:
        """Repeats ordered today for this patient, body part and view; None where one of them is not given."""
        patient_id = header.patient.patient_id
        if not patient_id or not header.body_part:
            return None
        wanted = (patient_id, header.body_part, header.view_position)
        return sum((r.patient_id, r.body_part, r.view_position) == wanted for r in self._repeats)


def start_of_day(now: datetime) -> datetime:
    """The last midnight on the device's own clock, in UTC."""
    return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0).astimezone(timezone.utc)
