# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What was expected of an image, put together from the store for the line."""

from __future__ import annotations

from datetime import timedelta

from appliance.clock import Clock
from appliance.domain.acquisition import Acquisition, Instance, Kind, Urgency
from appliance.domain.expected import EarlierView, Expectation, ListState, same_modality, taken_at
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.expected import Expected, list_state
from appliance.store.landing import Landings
from appliance.worklist import WorklistSettings


class StoredOrders:
    """The `Orders` of the worker."""

    def __init__(self, settings: WorklistSettings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._expected = Expected(database)
        self._landings = Landings(database)
        self._decisions = Decisions(database)

    def expectation(self, acquisition: Acquisition) -> Expectation:
        """See `pipeline.bench.Orders`. Raises StoreError."""
        if not self._settings.host:
            return Expectation()
        standing = self._expected.standing()
        state = list_state(standing, self._settings)
        first = acquisition.first
        return Expectation(
            state=state,
            age_min=standing.age_min if standing else None,
            covers=acquisition.urgency is not Urgency.BACKFILL and self._covers(first),
            whole=standing is None or standing.whole,
            step=None if state is ListState.UNHEARD else self._expected.step_of(first),
            patient_is_listed=self._expected.knows_patient(first.patient.patient_id),
            earlier=self._earlier(acquisition),
        )

    def _covers(self, first: Instance) -> bool:
        """Whether an order for this image could be on the list."""
        taken = taken_at(first)
        if taken is not None:
            today = self._clock.now_utc().astimezone().date()
            from_day = today - timedelta(days=self._settings.days_back)
            if not from_day <= taken.date() <= today + timedelta(days=self._settings.days_ahead):
                return False
        return same_modality(self._settings.modality, first.modality)

    def _earlier(self, acquisition: Acquisition) -> tuple[EarlierView, ...]:
        if acquisition.kind is not Kind.PROJECTION:
            return ()
        earlier = []
        for acquisition_id in self._landings.of_study_before(acquisition.acquisition_id):
            decision = self._decisions.latest(acquisition_id)
            other = self._landings.acquisition(acquisition_id)
            if other is None or (decision is not None and decision.choice is Choice.REPEAT):
                continue
            earlier.append(
                EarlierView(
                    view_position=other.first.view_position,
                    body_part=other.first.body_part,
                    laterality=other.first.laterality,
                )
            )
        return tuple(earlier)
