# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which study an outcome is about, and what all outcomes on one finding of it say together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from appliance.monitor.reports.exams import Exam, Period, read_exams
from appliance.store.connection import Database
from appliance.store.outcomes import KeyKind, Outcome, Outcomes, Truth

LATEST_DAYS: Final = 30
"""An outcome that names only the patient belongs to their last study of so many days before it. Longer, and
a test of a later illness would be taken for the truth about this one."""

TruthKey = tuple[str, str, str]
"""StudyInstanceUID, value and scheme of the finding's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What is known about one finding of one study."""

    truth: Truth
    """UNKNOWN also where two outcomes contradict each other."""
    is_conflict: bool
    sent_home: bool | None
    """None: not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """All outcomes, put to the studies of a period."""

    truths: dict[TruthKey, Word]
    unmatched: int
    """Outcomes that belong to no study of the period."""
    conflicts: int
    """Findings about which two outcomes contradict each other."""


def read_with_truth(database: Database, period: Period) -> tuple[tuple[Exam, ...], Resolved]:
    """The exams of the period, and what is known about their studies.

    Outcomes are put to the studies of some days more: one that names only the patient belongs to the last
    study before it, which may have come after the period.
    """
    longer = replace(period, last_day=period.last_day + timedelta(days=LATEST_DAYS))
    every = read_exams(database, longer)
    resolved = resolve(every, Outcomes(database).every())
    exams = tuple(exam for exam in every if exam.arrived_at_utc < period.until)
    studies = {exam.first.study_instance_uid for exam in exams}
    truths = {key: word for key, word in resolved.truths.items() if key[0] in studies}
    return exams, replace(
        resolved, truths=truths, conflicts=sum(word.is_conflict for word in truths.values())
    )


def resolve(exams: Iterable[Exam], outcomes: Iterable[Outcome]) -> Resolved:
    """Put each outcome to its study."""
    places = _Places(exams)
    said: dict[TruthKey, list[Outcome]] = {}
    unmatched = 0
    for outcome in outcomes:
        studies = places.studies(outcome)
        unmatched += not studies
        for study in studies:
            said.setdefault((study, outcome.code_value, outcome.code_scheme), []).append(outcome)
    truths = {key: _together(words) for key, words in said.items()}
    return Resolved(
        truths=truths, unmatched=unmatched, conflicts=sum(word.is_conflict for word in truths.values())
    )


class _Places:
    """Studies by everything that names them."""

    def __init__(self, exams: Iterable[Exam]) -> None:
        self._studies: set[str] = set()
        self._of_accession: dict[str, set[str]] = {}
        self._of_patient: dict[str, list[tuple[date, str]]] = {}
        for exam in exams:
            study = exam.first.study_instance_uid
            self._studies.add(study)
            if exam.first.accession_number:
                self._of_accession.setdefault(exam.first.accession_number, set()).add(study)
            if exam.first.patient.patient_id:
                self._of_patient.setdefault(exam.first.patient.patient_id, []).append((exam.day, study))

    def studies(self, outcome: Outcome) -> tuple[str, ...]:
        """Usually one; several share an accession number now and then."""
        if outcome.key_kind is KeyKind.STUDY_INSTANCE_UID:
            return (outcome.key_value,) if outcome.key_value in self._studies else ()
        if outcome.key_kind is KeyKind.ACCESSION_NUMBER:
            return tuple(sorted(self._of_accession.get(outcome.key_value, ())))
        observed = date.fromisoformat(outcome.observed_on)
        before = [
            (day, study)
            for day, study in self._of_patient.get(outcome.key_value, ())
            if 0 <= (observed - day).days <= LATEST_DAYS
        ]
        return (max(before)[1],) if before else ()


def _together(words: list[Outcome]) -> Word:
    """The last correction ends what was said before it; what is said after it counts again."""
    corrected = [index for index, word in enumerate(words) if word.is_correction]
    counting = words[corrected[-1] :] if corrected else words
    known = {word.truth for word in counting} - {Truth.UNKNOWN}
    homes = {word.sent_home for word in words} - {None}
    return Word(
        truth=known.pop() if len(known) == 1 else Truth.UNKNOWN,
        is_conflict=len(known) > 1,
        sent_home=homes.pop() if len(homes) == 1 else None,
    )
