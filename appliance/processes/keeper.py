# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The keeper: removes what may go when the disk fills up, reads the spool again, and anchors the audit trail.

It gets the disk when nobody else wants it, and does one small thing at a time. While it is down nothing is
lost: the disk fills up a little, and what it did not read today it reads tomorrow.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from threading import Event
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.config import MIB, Settings
from appliance.device_key import device_key
from appliance.domain.audit import AuditEvent, AuditKind
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.timekeeping import ClockWatch
from appliance.processes.lock import only_one
from appliance.store.anchors import append_outside
from appliance.store.audit import Trail, note_alone
from appliance.store.connection import Database
from appliance.store.proofs import Proofs, is_whole
from appliance.store.retention import Retention

NAME: Final = "keeper"
STEP_S: Final = 1.0
DISK_LOOK_S: Final = 30.0
LONGEST_PROOF_PAUSE_S: Final = 60.0
"""A small spool is read more often than it must be."""
S_PER_DAY: Final = 86400.0
SPARE: Final = 0.5
"""Reading the spool is planned for this part of its days: devices are switched off at night."""
CLOCK_STEP_S: Final = 2.0
"""The clock is said to be moved from this much on; less is what time servers do."""


class Keeper:
    """One keeper on one store."""

    def __init__(self, *, settings: Settings, layout: Layout, clock: Clock, database: Database) -> None:
        self._settings = settings
        self._layout = layout
        self._clock = clock
        self._database = database
        self._log = structlog.get_logger()
        self._beat = Heartbeat(layout.run, NAME, clock)
        self._clock_watch = ClockWatch(clock)
        self._told_moved_s = 0.0
        receivers = tuple(one.name for one in settings.everybody if one.wants_originals)
        self._retention = Retention(database, receivers=receivers, keep_days=settings.retention.keep_days)
        self._proofs = Proofs(database)
        self._trail = Trail(database)
        self._due_ns = dict.fromkeys(("anchor", "disk", "proof"), 0)
        self._anchored = -1
        self._anchor_trouble = ""
        self._disk_words = ""
        self._damage_words = ""

    def run(self, stop: Event) -> None:
        """Work until told to stop. Raises StoreError."""
        left = self._retention.finish()
        if left:
            self._log.info("removed images that an interrupted run had left", files=left)
        while not stop.is_set():
            self.step()
            stop.wait(STEP_S)
        self._anchor_outside()

    def step(self) -> None:
        """What is due now."""
        self._look_at_the_clock()
        if self._is_due("anchor", self._settings.audit.anchor_interval_s):
            self._anchor_outside()
        if self._is_due("disk", DISK_LOOK_S):
            self.make_room()
        if self._settings.retention.scrub_days > 0 and self._is_due("proof", self._proof_pause_s()):
            self.prove_one()
        troubles = (self._disk_words, self._damage_words, self._anchor_trouble)
        self._beat.beat("; ".join(word for word in troubles if word) or "waiting")

    def _is_due(self, what: str, every_s: float) -> bool:
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._due_ns[what]:
            return False
        self._due_ns[what] = now_ns + round(every_s * NS_PER_S)
        return True

    def _look_at_the_clock(self) -> None:
        moved_s = self._clock_watch.moved_s()
        step_s = moved_s - self._told_moved_s
        if abs(step_s) < CLOCK_STEP_S:
            return
        self._told_moved_s = moved_s
        self._log.warning("the clock was moved", step_s=round(step_s, 1))
        event = AuditEvent(kind=AuditKind.CLOCK, who=NAME, about=(("moved_s", f"{step_s:.1f}"),))
        note_alone(self._database, event)

    def _anchor_outside(self) -> None:
        """Said when the medium goes and when it is back, not at every look."""
        folder = self._settings.audit.anchor_folder
        head = self._trail.head()
        if not folder or head.count == self._anchored:
            return
        try:
            append_outside(Path(folder), device_key(self._layout.keys), head)
        except OSError as error:
            words = f"the audit trail is not anchored: {folder} cannot be written ({error.strerror})"
            if words != self._anchor_trouble:
                self._log.warning("no outside anchor", reason=error.strerror)
            self._anchor_trouble = words
            return
        if self._anchor_trouble:
            self._log.info("the audit trail is anchored again")
        self._anchored, self._anchor_trouble = head.count, ""

    def _used_percent(self) -> float:
        usage = shutil.disk_usage(self._layout.data)
        return 100 * (usage.total - usage.free) / usage.total

    def make_room(self) -> None:
        """Pictures first, then images that may go, the oldest exam first, until there is room."""
        limits, used = self._settings.retention, self._used_percent()
        full = used >= limits.act_percent
        if full and limits.enabled:
            self._remove_views()
            self._remove_images()
            used = self._used_percent()
        words = ""
        if used >= limits.act_percent:
            words = f"the disk is {used:.0f} % full and no image may go: read, decide, send, or add a disk"
        elif used >= limits.warn_percent:
            words = f"the disk is {used:.0f} % full"
        if words and not self._disk_words:
            self._log.warning("the disk fills up", used_percent=round(used, 1))
        self._disk_words = words

    def _remove_views(self) -> None:
        for view in self._retention.views_that_may_go():
            self._beat.beat("removing pictures that nobody needs")
            shutil.rmtree(view, ignore_errors=True)
            if self._used_percent() < self._settings.retention.act_percent:
                return

    def _remove_images(self) -> None:
        for acquisition_id in self._retention.candidates():
            if self._used_percent() < self._settings.retention.act_percent:
                return
            self._beat.beat("removing images that were read and sent")
            removal = self._retention.remove(acquisition_id)
            if removal is not None:
                self._log.warning(
                    "images removed", acquisition=acquisition_id, freed_mib=removal.freed_bytes // MIB
                )

    def _proof_pause_s(self) -> float:
        files, _ = self._proofs.stored()
        period_s = self._settings.retention.scrub_days * S_PER_DAY * SPARE
        return min(LONGEST_PROOF_PAUSE_S, period_s / max(files, 1))

    def prove_one(self) -> None:
        """Read the stored file that was read least often, and compare it with its hash."""
        file = self._proofs.next()
        if file is None:
            return
        good = is_whole(file)
        if not good:
            self._log.error(
                "a stored image is damaged", content=file.sha256[:12], acquisition=file.acquisition_id
            )
        self._proofs.compared(file, good=good)
        damaged = sum(damage.files for damage in self._proofs.damages())
        self._damage_words = f"{damaged} stored images are damaged: send them again" if damaged else ""


def run_keeper(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    if os.sched_getscheduler(0) != os.SCHED_IDLE:  # a unit has done so, and forbids the call
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # the disk, too, gets such a process last
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
    ):
        Keeper(settings=settings, layout=layout, clock=clock, database=database).run(stop)
