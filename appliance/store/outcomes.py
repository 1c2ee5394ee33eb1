# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What turned out later about findings: truth that comes in by file, days after the image. Never changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from appliance.store.connection import Database, Execute


class Truth(str, Enum):
    """What was there. Unknown stays unknown: it is neither of the others."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"


class KeyKind(str, Enum):
    """By what an outcome names its examination, the surest first."""

    STUDY_INSTANCE_UID = "study_instance_uid"
    ACCESSION_NUMBER = "accession_number"
    PATIENT_ID = "patient_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One word on one finding of one examination."""

    key_kind: KeyKind
    key_value: str
    code_value: str
    code_scheme: str
    truth: Truth
    observed_on: str
    """YYYY-MM-DD of the test or of the report; "": not said."""
    sent_home: bool | None
    """The patient had left for home; None: not said."""
    is_correction: bool
    """Takes the place of what was said before about the same finding of the same examination."""
    source: str
    """`csv` or `hl7`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file's outcomes."""

    new: int
    known: int
    """There already, word for word."""
    conflicts: int
    """New ones that say the opposite of an earlier one without correcting it: both stay, none counts."""


_HOME = {True: "yes", False: "no", None: ""}
_COLUMNS = (
    "key_kind, key_value, code_value, code_scheme, truth, observed_on, sent_home, is_correction, source"
)


class Outcomes:
    """The ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, outcomes: Iterable[Outcome]) -> Imported:
        """Keep them, all or none, durably. Adding the same ones again changes nothing."""
        new = known = conflicts = 0
        with self._database.transaction() as write:
            for outcome in outcomes:
                against = not outcome.is_correction and _contradicted(write, outcome)
                if self._insert(write, outcome):
                    new += 1
                    conflicts += against
                else:
                    known += 1
        return Imported(new=new, known=known, conflicts=conflicts)

    def _insert(self, write: Execute, outcome: Outcome) -> bool:
        rows = write(
            f"INSERT INTO outcome ({_COLUMNS}, imported_at_utc)"  # noqa: S608  (names of columns)
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
            (
                *(outcome.key_kind.value, outcome.key_value, outcome.code_value, outcome.code_scheme),
                *(outcome.truth.value, outcome.observed_on, _HOME[outcome.sent_home]),
                *(int(outcome.is_correction), outcome.source),
                self._database.clock.now_utc().isoformat(),
            ),
        )
        return bool(rows)

    def every(self) -> tuple[Outcome, ...]:
        """All of them, in the order in which they came."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM outcome ORDER BY outcome_id"  # noqa: S608  (names of columns)
        )
        return tuple(
            Outcome(
                key_kind=KeyKind(key_kind),
                key_value=key_value,
                code_value=code_value,
                code_scheme=code_scheme,
                truth=Truth(truth),
                observed_on=observed_on,
                sent_home={"yes": True, "no": False}.get(sent_home),
                is_correction=bool(is_correction),
                source=source,
            )
            for (
                key_kind,
                key_value,
                code_value,
                code_scheme,
                truth,
                observed_on,
                sent_home,
                is_correction,
                source,
            ) in rows
        )


def _contradicted(write: Execute, outcome: Outcome) -> bool:
    """Does an earlier word on the same finding of the same examination say the opposite?"""
    opposite = {Truth.POSITIVE: "negative", Truth.NEGATIVE: "positive"}.get(outcome.truth)
    of_one_day = outcome.key_kind is KeyKind.PATIENT_ID
    return bool(
        write(
            "SELECT 1 FROM outcome WHERE key_kind = ? AND key_value = ? AND code_value = ?"
            " AND code_scheme = ? AND truth = ? AND (? OR observed_on = ?)",
            (
                *(outcome.key_kind.value, outcome.key_value, outcome.code_value, outcome.code_scheme),
                *(opposite, not of_one_day, outcome.observed_on),
            ),
        )
    )
