# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who was called about a disagreement, by whom and when. Appended, never changed; the newest counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from appliance.store.connection import Database

CallKey = tuple[str, str, str]
"""StudyInstanceUID, value and scheme of the finding's code."""


class CallStatus(str, Enum):
    """How far a call-back is."""

    OPEN = "open"
    """Never in the ledger: nobody has written anything yet."""
    CALLED = "called"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The newest entry about one disagreement."""

    status: CallStatus
    kind: str
    """Of the disagreement, as it was then: another one opens the call-back again."""
    by_name: str
    note: str
    at_utc: str


class CallBacks:
    """The ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write_down(self, key: CallKey, *, kind: str, status: CallStatus, by_name: str, note: str) -> None:
        """Keep it, durably."""
        with self._database.transaction() as write:
            write(
                "INSERT INTO call_back (study_instance_uid, code_value, code_scheme, kind, status, by_name,"
                " note, at_utc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*key, kind, status.value, by_name, note, self._database.clock.now_utc().isoformat()),
            )

    def newest(self) -> dict[CallKey, Call]:
        """What counts of every disagreement that somebody has written about."""
        rows = self._database.read(
            "SELECT study_instance_uid, code_value, code_scheme, kind, status, by_name, note, at_utc"
            " FROM call_back ORDER BY call_id"
        )
        return {
            (study, value, scheme): Call(
                status=CallStatus(status), kind=kind, by_name=by_name, note=note, at_utc=at_utc
            )
            for study, value, scheme, kind, status, by_name, note, at_utc in rows
        }
