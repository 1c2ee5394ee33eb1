# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Outcomes from a table: one row for each finding of each examination. All rows are taken, or none.

Columns by their names in the first line, in any order; separated by commas, semicolons or tabs; UTF-8.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from appliance.errors import InputError
from appliance.store.outcomes import KeyKind, Outcome, Truth

REQUIRED: Final = ("code", "truth")
KEYS: Final = tuple(kind.value for kind in KeyKind)
"""The first that is filled in names the examination."""
OPTIONAL: Final = ("code_scheme", "observed_on", "sent_home", "correction")
DEFAULT_SCHEME: Final = "SCT"
MOST_TOLD: Final = 5
"""Wrong rows that are named; whoever mends these sees the others."""
LONGEST_KEY: Final = 64
"""PS3.5: no UID, accession number or patient ID is longer."""
_YES_NO: Final[Mapping[str, bool | None]] = {"yes": True, "no": False, "": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOutcomes:
    """What a file holds."""

    outcomes: tuple[Outcome, ...]
    passed_over: tuple[str, ...]
    """What was not read, in words: unknown columns, preliminary results."""


def read_csv(content: bytes) -> ReadOutcomes:
    """The rows. Raises InputError that names lines and columns, never what stands in them."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The file is not UTF-8 (byte {error.start}).", remedy="Save it as CSV UTF-8."
        ) from error
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in rows.fieldnames or ()]
    except csv.Error as error:
        raise _unreadable(1, error) from error
    rows.fieldnames = names
    lacking = [name for name in REQUIRED if name not in names]
    if lacking or not set(names) & set(KEYS):
        raise InputError(
            f"The table needs the columns {', '.join(REQUIRED)} and one of {', '.join(KEYS)}.",
            remedy="Name them in the first line; docs/reports.md shows an example.",
        )
    outcomes: list[Outcome] = []
    wrong: list[str] = []
    try:
        for row in rows:
            try:
                outcomes.append(_outcome({key: (value or "").strip() for key, value in row.items() if key}))
            except ValueError as error:
                wrong.append(f"line {rows.line_num}: {error}")
    except csv.Error as error:
        raise _unreadable(rows.line_num, error) from error
    if wrong:
        more = f", and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        raise InputError(
            f"{len(wrong)} rows cannot be understood: {'; '.join(wrong[:MOST_TOLD])}{more}. None was taken.",
            remedy="Mend them and import the file again; what is known already is not taken twice.",
        )
    strange = [name for name in names if name and name not in {*REQUIRED, *KEYS, *OPTIONAL}]
    return ReadOutcomes(
        outcomes=tuple(outcomes),
        passed_over=(f"{len(strange)} columns that have no meaning here",) if strange else (),
    )


def _unreadable(line: int, error: csv.Error) -> InputError:
    return InputError(
        f"The table cannot be read from line {line} on: {error}.", remedy="Save it as CSV again."
    )


def _outcome(row: Mapping[str, str]) -> Outcome:
    """Raises ValueError in words without the row's content."""
    kind = next((kind for kind in KeyKind if row.get(kind.value)), None)
    if kind is None:
        raise ValueError(f"one of {', '.join(KEYS)} must be filled in")
    if len(row[kind.value]) > LONGEST_KEY:
        raise ValueError(f"{kind.value} is longer than {LONGEST_KEY} characters")
    if not row["code"]:
        raise ValueError("code is empty")
    if row["truth"].lower() not in {truth.value for truth in Truth}:
        raise ValueError("truth must be positive, negative or unknown")
    observed_on = row.get("observed_on", "")
    if observed_on:
        try:
            observed_on = date.fromisoformat(observed_on).isoformat()
        except ValueError as error:
            raise ValueError("observed_on must be a day such as 2026-01-31") from error
    elif kind is KeyKind.PATIENT_ID:
        raise ValueError("with patient_id alone, observed_on must say which examination it is about")
    for name in ("sent_home", "correction"):
        if row.get(name, "").lower() not in _YES_NO:
            raise ValueError(f"{name} must be yes, no or empty")
    return Outcome(
        key_kind=kind,
        key_value=row[kind.value],
        code_value=row["code"],
        code_scheme=row.get("code_scheme") or DEFAULT_SCHEME,
        truth=Truth(row["truth"].lower()),
        observed_on=observed_on,
        sent_home=_YES_NO[row.get("sent_home", "").lower()],
        is_correction=_YES_NO[row.get("correction", "").lower()] is True,
        source="csv",
    )
