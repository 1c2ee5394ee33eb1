# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a person decided about an acquisition. Appended, never changed; the newest one counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from appliance.store.connection import Database, Row


class Choice(str, Enum):
    """Keep the image, or take it again."""

    KEEP = "keep"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One tap of a person."""

    acquisition_id: str
    version: int
    """The version they were looking at."""
    choice: Choice
    reason: str | None
    decided_at_utc: str


class Decisions:
    """The ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, acquisition_id: str, version: int, choice: Choice, *, reason: str | None) -> None:
        """Write it down, durably."""
        with self._database.transaction() as write:
            write(
                "INSERT INTO decision (acquisition_id, version, decision, reason, decided_at_utc)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    acquisition_id,
                    version,
                    choice.value,
                    reason,
                    self._database.clock.now_utc().isoformat(),
                ),
            )

    def since(self, moment: datetime) -> tuple[Decision, ...]:
        """The one that counts of every acquisition that was decided about since `moment`, oldest first."""
        rows = self._database.read(
            "SELECT acquisition_id, version, decision, reason, decided_at_utc FROM decision"
            " WHERE decision_id IN (SELECT MAX(decision_id) FROM decision GROUP BY acquisition_id)"
            " ORDER BY decision_id"
        )
        decisions = (_decision(row) for row in rows)
        return tuple(one for one in decisions if datetime.fromisoformat(one.decided_at_utc) >= moment)

    def latest(self, acquisition_id: str) -> Decision | None:
        """The one that counts."""
        rows = self._database.read(
            "SELECT acquisition_id, version, decision, reason, decided_at_utc FROM decision"
            " WHERE acquisition_id = ? ORDER BY decision_id DESC LIMIT 1",
            (acquisition_id,),
        )
        if not rows:
            return None
        return _decision(rows[0])


def _decision(row: Row) -> Decision:
    found, version, choice, reason, decided_at_utc = row
    return Decision(
        acquisition_id=found,
        version=version,
        choice=Choice(choice),
        reason=reason,
        decided_at_utc=decided_at_utc,
    )
