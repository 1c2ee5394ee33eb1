# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The last good worklist, how old it is, and which of its steps an image belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from appliance.clock import NS_PER_S
from appliance.domain.acquisition import Instance
from appliance.domain.expected import ExpectedStep, ListState, folded, step_of
from appliance.domain.record import from_json, to_json
from appliance.store.ageing import WallClockSteps
from appliance.store.connection import Database
from appliance.worklist import WorklistSettings

KEPT_AFTER: Final = timedelta(days=7)
"""How long a step is kept that the server lists no more: its late images still find their order."""
_S_PER_MIN: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the last questions to the worklist went."""

    answers: int
    """Rises with every good answer."""
    answered_at_utc: datetime | None
    """None: there never was a good answer."""
    age_min: float | None
    """Of the last good answer, on the monotonic clock; None when it was before this boot, or never."""
    unread: int
    whole: bool
    trouble: str | None
    """Why the last one failed; None when it did not."""
    remedy: str | None
    trouble_since_utc: datetime | None


class Expected:
    """The list in the store. One process writes it (`worklist`); others read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._steps = WallClockSteps(database.clock)

    def replace(self, steps: Sequence[ExpectedStep], *, unread: int, whole: bool) -> None:
        """A new good answer: what it lists is listed, and nothing else. One transaction."""
        clock = self._database.clock
        now_utc = clock.now_utc()
        was_set = self._steps.was_set()
        with self._database.transaction() as write:
            if was_set:
                write("UPDATE expected SET last_listed_at_utc = ?", (now_utc.isoformat(),))
            write("UPDATE expected SET listed = 0 WHERE listed = 1")
            for step in steps:
                write(
                    "INSERT INTO expected (step_key, record, study_instance_uid, accession_number,"
                    " patient_key, listed, last_listed_at_utc) VALUES (?, ?, ?, ?, ?, 1, ?)"
                    " ON CONFLICT (step_key) DO UPDATE SET record = excluded.record,"
                    " study_instance_uid = excluded.study_instance_uid,"
                    " accession_number = excluded.accession_number, patient_key = excluded.patient_key,"
                    " listed = 1, last_listed_at_utc = excluded.last_listed_at_utc",
                    (
                        _key(step),
                        to_json(step),
                        step.study_instance_uid,
                        step.accession_number,
                        folded(step.patient_id),
                        now_utc.isoformat(),
                    ),
                )
            write(
                "DELETE FROM expected WHERE listed = 0 AND last_listed_at_utc < ?",
                ((now_utc - KEPT_AFTER).isoformat(),),
            )
            write(
                "INSERT INTO worklist_standing (only_one, answers, answered_at_utc, answered_ns, boot_id,"
                " unread, whole) VALUES (1, 1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT (only_one) DO UPDATE SET"
                " answers = answers + 1, answered_at_utc = ?1, answered_ns = ?2, boot_id = ?3, unread = ?4,"
                " whole = ?5, trouble = NULL, remedy = NULL, trouble_since_utc = NULL",
                (now_utc.isoformat(), clock.monotonic_ns(), clock.boot_id(), unread, int(whole)),
            )

    def failed(self, what: str, remedy: str) -> None:
        """There was no good answer: the list stays as it is. Raises StoreError."""
        with self._database.transaction() as write:
            write(
                "INSERT INTO worklist_standing (only_one, answers, unread, whole, trouble, remedy,"
                " trouble_since_utc) VALUES (1, 0, 0, 1, ?1, ?2, ?3) ON CONFLICT (only_one) DO UPDATE SET"
                " trouble = ?1, remedy = ?2, trouble_since_utc = coalesce(trouble_since_utc, ?3)",
                (what, remedy, self._database.clock.now_utc().isoformat()),
            )

    def standing(self) -> Standing | None:
        """None: it was never asked."""
        rows = self._database.read(
            "SELECT answers, answered_at_utc, answered_ns, boot_id, unread, whole, trouble, remedy,"
            " trouble_since_utc FROM worklist_standing"
        )
        if not rows:
            return None
        answers, at, answered_ns, boot_id, unread, whole, trouble, remedy, since = rows[0]
        clock = self._database.clock
        comparable = answered_ns is not None and boot_id == clock.boot_id()
        return Standing(
            answers=answers,
            answered_at_utc=datetime.fromisoformat(at) if at else None,
            age_min=(clock.monotonic_ns() - answered_ns) / NS_PER_S / _S_PER_MIN if comparable else None,
            unread=unread,
            whole=bool(whole),
            trouble=trouble,
            remedy=remedy,
            trouble_since_utc=datetime.fromisoformat(since) if since else None,
        )

    def listed(self, *, limit: int = 100_000) -> tuple[ExpectedStep, ...]:
        """The last good list, by time; steps without one last."""
        rows = self._database.read(
            "SELECT record FROM expected WHERE listed = 1"
            " ORDER BY json_extract(record, '$.scheduled_at') IS NULL,"
            " json_extract(record, '$.scheduled_at'), step_key LIMIT ?",
            (limit,),
        )
        return tuple(from_json(ExpectedStep, row[0]) for row in rows)

    def step_of(self, first: Instance) -> ExpectedStep | None:
        """The step that an image belongs to, listed now or lately; None: to none."""
        rows = self._database.read(
            "SELECT record FROM expected WHERE study_instance_uid = ?1"
            " UNION SELECT record FROM expected WHERE accession_number = ?2 AND ?2 IS NOT NULL"
            " UNION SELECT record FROM expected WHERE patient_key = ?3 AND ?3 != ''",
            (first.study_instance_uid, first.accession_number, folded(first.patient.patient_id)),
        )
        return step_of(first, tuple(from_json(ExpectedStep, row[0]) for row in rows))

    def without_images(self, steps: Sequence[ExpectedStep]) -> tuple[ExpectedStep, ...]:
        """Those of which no image has come under the study's UID."""
        return tuple(
            step
            for step in steps
            if not step.study_instance_uid
            or not self._database.read(
                "SELECT 1 FROM acquisition WHERE study_instance_uid = ? LIMIT 1", (step.study_instance_uid,)
            )
        )

    def knows_patient(self, patient_id: str | None) -> bool:
        """Whether anybody of this ID is expected, or was lately."""
        key = folded(patient_id)
        return bool(
            key and self._database.read("SELECT 1 FROM expected WHERE patient_key = ? LIMIT 1", (key,))
        )


def list_state(standing: Standing | None, settings: WorklistSettings) -> ListState:
    """Whether the list may be believed now."""
    if not settings.host:
        return ListState.NONE
    if standing is None or standing.age_min is None:
        return ListState.UNHEARD
    return ListState.OLD if standing.age_min > settings.old_after_min else ListState.CURRENT


def _key(step: ExpectedStep) -> str:
    named = (
        step.study_instance_uid,
        step.scheduled_procedure_step_id,
        step.accession_number,
        step.patient_id,
    )
    return hashlib.sha256("\n".join(each or "" for each in named).encode()).hexdigest()
