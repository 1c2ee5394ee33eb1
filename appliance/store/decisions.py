# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a person decided about an acquisition. Appended, never changed; the newest that stands counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from appliance.domain.audit import AuditEvent, AuditKind
from appliance.store.audit import note
from appliance.store.connection import Database, Execute, Row
from appliance.store.rejections import hold_back_all_but, notes_that_left, queue_note

AT_THE_SCREEN: Final = "person at the screen"
"""The screen asks nobody who they are."""


class Choice(str, Enum):
    """Keep the image, or take it again; or take back what was decided last."""

    KEEP = "keep"
    REPEAT = "repeat"
    WITHDRAWN = "withdrawn"
    """Only in the ledger: no decision that stands is ever this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One tap of a person."""

    acquisition_id: str
    version: int
    """The version they were looking at."""
    choice: Choice
    reason: str | None
    decided_at_utc: str
    decision_id: int
    """Its row in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatOrder:
    """A decision to take an image again that stands."""

    acquisition_id: str
    patient_id: str | None
    body_part: str | None
    view_position: str | None


class Decisions:
    """The ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(
        self, acquisition_id: str, version: int, choice: Choice, *, reason: str | None
    ) -> tuple[str, ...]:
        """Write it down, durably, and with it what follows for the rejection notes of this acquisition.

        Returns the receivers that hold a note of a decision that does not stand any more: it has left, and
        only they can undo it.
        """
        with self._database.transaction() as write:
            rows = write(
                "INSERT INTO decision (acquisition_id, version, decision, reason, decided_at_utc)"
                " VALUES (?, ?, ?, ?, ?) RETURNING decision_id",
                (
                    acquisition_id,
                    version,
                    choice.value,
                    reason,
                    self._database.clock.now_utc().isoformat(),
                ),
            )
            if choice is Choice.REPEAT:
                queue_note(write, acquisition_id=acquisition_id, version=version, decision_id=int(rows[0][0]))
            stands = _latest(write, acquisition_id)
            standing = None if stands is None else stands.decision_id
            hold_back_all_but(write, acquisition_id, standing)
            event = AuditEvent(
                kind=AuditKind.DECIDED,
                who=AT_THE_SCREEN,
                exam=acquisition_id,
                about=(("version", str(version)), ("decision", choice.value)),
            )
            note(self._database, write, event)
            return notes_that_left(write, acquisition_id, standing)

    def of(self, decision_id: int) -> Decision | None:
        """One row of the ledger that is no withdrawal."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM decision WHERE decision_id = ? AND decision != ?",  # noqa: S608
            (decision_id, Choice.WITHDRAWN.value),
        )
        return _decision(rows[0]) if rows else None

    def since(self, moment: datetime) -> tuple[Decision, ...]:
        """The one that counts of every acquisition that was decided about since `moment`, oldest first."""
        newest = (self.latest(acquisition_id) for acquisition_id in self._decided_since(moment))
        counting = [one for one in newest if one and datetime.fromisoformat(one.decided_at_utc) >= moment]
        return tuple(sorted(counting, key=lambda one: one.decision_id))

    def _decided_since(self, moment: datetime) -> tuple[str, ...]:
        """Acquisitions with a row since then: from the newest row back to the first that is too old."""
        rows = self._database.read(
            "SELECT DISTINCT acquisition_id FROM decision WHERE decision_id > coalesce("
            "(SELECT decision_id FROM decision WHERE decided_at_utc < ?"
            " ORDER BY decision_id DESC LIMIT 1), 0)",
            (moment.isoformat(),),
        )
        return tuple(row[0] for row in rows)

    def latest(self, acquisition_id: str) -> Decision | None:
        """The one that counts: the newest that was not withdrawn."""
        return _latest(self._database.read, acquisition_id)

    def standing(self) -> dict[str, Decision]:
        """The one that counts of every acquisition, by its id: one query for all."""
        rows = self._database.read(f"SELECT {_COLUMNS} FROM decision ORDER BY decision_id")  # noqa: S608
        made: dict[str, list[Decision]] = {}
        for row in rows:
            decisions = made.setdefault(row[0], [])
            if row[2] != Choice.WITHDRAWN.value:
                decisions.append(_decision(row))
            elif decisions:
                decisions.pop()
        return {acquisition_id: decisions[-1] for acquisition_id, decisions in made.items() if decisions}

    def repeats_since(self, since: datetime) -> tuple[RepeatOrder, ...]:
        """Images about which somebody has decided since then, and of which the last word is to repeat."""
        orders = []
        for acquisition_id in self._decided_since(since):
            decision = self.latest(acquisition_id)
            if decision is not None and decision.choice is Choice.REPEAT:
                orders.extend(self._order(acquisition_id))
        return tuple(orders)

    def _order(self, acquisition_id: str) -> list[RepeatOrder]:
        rows = self._database.read(
            "SELECT json_extract(instance, '$.patient.patient_id'), json_extract(instance, '$.body_part'),"
            " json_extract(instance, '$.view_position')"
            " FROM file WHERE acquisition_id = ? ORDER BY arrival LIMIT 1",
            (acquisition_id,),
        )
        return [
            RepeatOrder(
                acquisition_id=acquisition_id,
                patient_id=patient_id,
                body_part=body_part,
                view_position=view_position,
            )
            for patient_id, body_part, view_position in rows
        ]


_COLUMNS: Final = "acquisition_id, version, decision, reason, decided_at_utc, decision_id"


def _decision(row: Row) -> Decision:
    acquisition_id, version, choice, reason, decided_at_utc, decision_id = row
    return Decision(
        acquisition_id=acquisition_id,
        version=version,
        choice=Choice(choice),
        reason=reason,
        decided_at_utc=decided_at_utc,
        decision_id=decision_id,
    )


def _latest(read: Execute, acquisition_id: str) -> Decision | None:
    rows = read(
        f"SELECT {_COLUMNS} FROM decision WHERE acquisition_id = ? ORDER BY decision_id DESC",  # noqa: S608
        (acquisition_id,),
    )
    withdrawn = 0
    for row in rows:
        if row[2] == Choice.WITHDRAWN.value:
            withdrawn += 1
        elif withdrawn:
            withdrawn -= 1
        else:
            return _decision(row)
    return None
