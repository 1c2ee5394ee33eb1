# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Steps as modalities report them (MPPS): what was produced, and whether anything more will come."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from appliance.domain.expected import PerformedStep
from appliance.domain.record import from_json, to_json
from appliance.store.ageing import WallClockSteps
from appliance.store.connection import Database

KEPT: Final = timedelta(days=7)
"""How long a report is kept: its images come within hours."""


class PerformedSteps:
    """The reports in the store. The watcher writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._steps = WallClockSteps(database.clock)

    def find(self, sop_instance_uid: str) -> PerformedStep | None:
        """The report of this name as it stands; None: it never came."""
        rows = self._database.read(
            "SELECT record FROM performed_step WHERE sop_instance_uid = ?", (sop_instance_uid,)
        )
        return from_json(PerformedStep, rows[0][0]) if rows else None

    def keep(self, step: PerformedStep) -> None:
        """Write a report down, durably, in the place of what it said before. Raises StoreError."""
        name = step.sop_instance_uid
        now_utc = self._database.clock.now_utc()
        was_set = self._steps.was_set()
        with self._database.transaction() as write:
            if was_set:
                write("UPDATE performed_step SET changed_at_utc = ?", (now_utc.isoformat(),))
            write(
                "DELETE FROM performed_step WHERE sop_instance_uid = ? OR changed_at_utc < ?",
                (name, (now_utc - KEPT).isoformat()),
            )
            write(
                "INSERT INTO performed_step (sop_instance_uid, record, ended, changed_at_utc)"
                " VALUES (?, ?, ?, ?)",
                (name, to_json(step), int(step.ended), now_utc.isoformat()),
            )
            for study in dict.fromkeys(step.study_instance_uids):
                write("INSERT INTO performed_study VALUES (?, ?)", (name, study))
            for image in dict.fromkeys(step.images):
                write(
                    "INSERT INTO performed_image VALUES (?, ?, ?)",
                    (name, image.series_instance_uid, image.sop_instance_uid),
                )

    def any_ended(self) -> bool:
        """Whether there is any report of an ended step."""
        return bool(self._database.read("SELECT 1 FROM performed_step WHERE ended = 1 LIMIT 1"))

    def produced(self, series_instance_uid: str) -> frozenset[str] | None:
        """The images of a series whose steps have all ended; None: not reported, or still at work."""
        rows = self._database.read(
            "SELECT i.image_uid, s.ended FROM performed_image i JOIN performed_step s"
            " USING (sop_instance_uid) WHERE i.series_instance_uid = ?",
            (series_instance_uid,),
        )
        return frozenset(row[0] for row in rows) if rows and all(row[1] for row in rows) else None

    def nothing_more_comes(self, study_instance_uid: str) -> bool:
        """Every reported step of this study has ended, and each image that it produced is here."""
        rows = self._database.read(
            "SELECT min(s.ended), (SELECT count(*) FROM performed_image i JOIN performed_study t"
            " USING (sop_instance_uid) WHERE t.study_instance_uid = ?1 AND NOT EXISTS (SELECT 1 FROM file f"
            "  WHERE json_extract(f.instance, '$.sop_instance_uid') = i.image_uid"
            "  AND f.instance IS NOT NULL))"
            " FROM performed_study p JOIN performed_step s USING (sop_instance_uid)"
            " WHERE p.study_instance_uid = ?1",
            (study_instance_uid,),
        )
        all_ended, away = rows[0]
        return bool(all_ended) and not away
