# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The acquisitions that are being gathered: assembly's rules, applied to what the store holds.

Only a bounded number of acquisitions is kept in memory; the store has them all. Quiet time is counted on
the monotonic clock and written down as seconds still to pass, so a restart goes on counting.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.domain.acquisition import Acquisition, Completeness, Instance, Urgency
from appliance.intake.assembly import (
    Change,
    Siblings,
    arrive,
    association_ended,
    quiet_needed_s,
    step_ended,
    urgency_of,
    went_quiet,
)
from appliance.store.landing import Landings
from appliance.store.performed import PerformedSteps

INSTANCES_AT_HAND: Final = 5_000
"""Headers kept in memory, about 6 kB each; a thoracic CT of 1 mm has some 400."""
WRITE_DOWN_EVERY_S: Final = 10.0
"""How often the seconds that are left are written down: as much may be waited twice after a power cut."""


class Gathering:
    """One per store. Not thread-safe: the intake loop owns it."""

    def __init__(
        self, landings: Landings, performed: PerformedSteps, *, clock: Clock, series_quiet_s: float
    ) -> None:
        self._landings = landings
        self._performed = performed
        self._look_at_reports = True
        self._clock = clock
        self._series_quiet_s = series_quiet_s
        self._at_hand: OrderedDict[str, Acquisition] = OrderedDict()
        self._instances_at_hand = 0
        self._due_ns: dict[str, int] = {}
        self._written_ns = clock.monotonic_ns()
        self._carried: dict[int, Counter[str]] = {}
        self._log = structlog.get_logger()

    def start_over(self) -> None:
        """What was said to be stored is not: forget it, and ask the store."""
        self._at_hand.clear()
        self._instances_at_hand = 0
        waiting = dict(self._landings.receiving())
        self._due_ns = {name: due_ns for name, due_ns in self._due_ns.items() if name in waiting}
        self.resume()

    def resume(self) -> None:
        """Go on counting where the last run stopped."""
        now_ns = self._clock.monotonic_ns()
        for acquisition_id, left_s in self._landings.receiving():
            wait_s = self._series_quiet_s if left_s is None else min(left_s, self._series_quiet_s)
            self._due_ns.setdefault(acquisition_id, now_ns + round(wait_s * NS_PER_S))

    def plan(self, instance: Instance, *, urgency: Urgency) -> tuple[Change, ...]:
        """What this image changes; its own acquisition first. Nothing is stored yet."""
        ids = self._landings.concerning(
            series_instance_uid=instance.series_instance_uid, sop_instance_uid=instance.sop_instance_uid
        )
        return arrive(instance, urgency=urgency_of(instance, urgency), siblings=self._load(ids))

    def quiet_left_s(self, acquisition: Acquisition) -> float | None:
        """Seconds of quiet that an acquisition with a new image has to wait; None when it is settled."""
        if acquisition.completeness is not Completeness.RECEIVING:
            return None
        return quiet_needed_s(acquisition, series_quiet_s=self._series_quiet_s)

    def stored(self, changes: tuple[Change, ...]) -> None:
        """The store has these now."""
        self._look_at_reports = True
        for change in changes:
            self._hold(change.acquisition)
            wait_s = self.quiet_left_s(change.acquisition)
            if wait_s is None:
                self._due_ns.pop(change.acquisition.acquisition_id, None)
            else:
                due_ns = self._clock.monotonic_ns() + round(wait_s * NS_PER_S)
                self._due_ns[change.acquisition.acquisition_id] = due_ns

    def carried(self, association: int, acquisition_id: str) -> None:
        """An association brought an image of this acquisition, perhaps one that was here already."""
        self._carried.setdefault(association, Counter())[acquisition_id] += 1

    def association_ended(self, association: int, *, released: bool) -> None:
        """Its sender is done, or has vanished (which is no evidence of anything). Raises StoreError."""
        for acquisition_id, count in self._carried.pop(association, Counter()).items():
            if not released or acquisition_id not in self._due_ns:
                continue
            (acquisition,) = self._load((acquisition_id,))
            self._amend(association_ended(acquisition, carried=count, siblings=self._siblings(acquisition)))

    def settle_quiet(self) -> None:
        """Settle what has been quiet for long enough. Raises StoreError."""
        now_ns = self._clock.monotonic_ns()
        for acquisition_id in [name for name, due_ns in self._due_ns.items() if due_ns <= now_ns]:
            (acquisition,) = self._load((acquisition_id,))
            quiet_s = quiet_needed_s(acquisition, series_quiet_s=self._series_quiet_s)
            change = went_quiet(
                acquisition,
                quiet_s=quiet_s,
                siblings=self._siblings(acquisition),
                produced=self._produced(acquisition) or frozenset(),
            )
            self._amend(change)
            self._due_ns.pop(acquisition_id, None)
        if now_ns - self._written_ns > WRITE_DOWN_EVERY_S * NS_PER_S:
            self.write_down()

    def settle_reported(self) -> None:
        """Settle what its modality reported as done (MPPS), once every image is here. Raises StoreError."""
        if not self._look_at_reports or not self._performed.any_ended():
            return
        self._look_at_reports = False
        for acquisition_id in tuple(self._due_ns):  # the last image may have come to another stack of it
            (acquisition,) = self._load((acquisition_id,))
            produced = self._produced(acquisition)
            if produced:
                self._amend(step_ended(acquisition, produced=produced, siblings=self._siblings(acquisition)))

    def reported(self) -> None:
        """A modality has reported a step: what is waiting is to be looked at again."""
        self._look_at_reports = True

    def _produced(self, acquisition: Acquisition) -> frozenset[str] | None:
        return self._performed.produced(acquisition.first.series_instance_uid)

    def next_due_ns(self) -> int | None:
        """When the next acquisition will have been quiet for long enough; None when none is waiting."""
        return min(self._due_ns.values(), default=None)

    def write_down(self) -> None:
        """Store how many seconds each waiting acquisition has left. Raises StoreError."""
        now_ns = self._clock.monotonic_ns()
        self._written_ns = now_ns
        if self._due_ns:
            self._landings.write_quiet_left(
                {name: max(0, due_ns - now_ns) / NS_PER_S for name, due_ns in self._due_ns.items()}
            )

    def _amend(self, change: Change | None) -> None:
        if change is None:
            return
        acquisition = change.acquisition
        self._landings.amend(acquisition, queue=change.queue)
        self.stored((change,))
        self._log.info(
            "acquisition settled",
            acquisition=acquisition.acquisition_id,
            version=acquisition.version,
            completeness=acquisition.completeness.value,
            files=len(acquisition.instances),
        )

    def _siblings(self, acquisition: Acquisition) -> Siblings:
        return self._load(self._landings.siblings(acquisition.acquisition_id))

    def _load(self, ids: tuple[str, ...]) -> Siblings:
        found = []
        for acquisition_id in ids:
            acquisition = self._at_hand.get(acquisition_id)
            if acquisition is None:
                acquisition = self._landings.acquisition(acquisition_id)
                assert acquisition is not None  # its id came from the store, which forgets nothing
            self._hold(acquisition)
            found.append(acquisition)
        return tuple(found)

    def _hold(self, acquisition: Acquisition) -> None:
        """Keep it at hand, and let those go that were not needed for the longest time."""
        before = self._at_hand.get(acquisition.acquisition_id)
        self._instances_at_hand += len(acquisition.instances) - (len(before.instances) if before else 0)
        self._at_hand[acquisition.acquisition_id] = acquisition
        self._at_hand.move_to_end(acquisition.acquisition_id)
        while self._instances_at_hand > INSTANCES_AT_HAND and len(self._at_hand) > 1:
            _, let_go = self._at_hand.popitem(last=False)
            self._instances_at_hand -= len(let_go.instances)
