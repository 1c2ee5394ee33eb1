# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What people said and did about the exams of a period, and how soon a flag was acknowledged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appliance.monitor.reports.exams import Exam
from appliance.monitor.reports.share import percentile
from appliance.store.connection import Database
from appliance.store.opinions import Act, Deed, Opinion, Opinions

ACKNOWLEDGED = (Act.SEEN, Act.TOLD, Act.ESCALATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """By acquisition, for the newest version of each."""

    opinions: dict[str, tuple[Opinion, ...]]
    deeds: dict[str, tuple[Deed, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgedAfter:
    """How long flagged exams waited for one deed. On the wall clock: a clock that was set moves it."""

    deed: str
    flagged: int
    done: int
    p50_s: float | None
    p95_s: float | None
    """None: it was never done."""
    clock_was_set: int
    """Left out of the times: done before the flag was there."""


def read_people(database: Database, exams: Iterable[Exam]) -> People:
    """What counts for these exams."""
    ids = [exam.acquisition_id for exam in exams]
    ledger = Opinions(database)
    opinions: dict[str, list[Opinion]] = {}
    for opinion in ledger.newest(ids):
        opinions.setdefault(opinion.subject.acquisition_id, []).append(opinion)
    deeds: dict[str, list[Deed]] = {}
    for deed in ledger.deeds(ids):
        deeds.setdefault(deed.acquisition_id, []).append(deed)
    return People(
        opinions={key: tuple(said) for key, said in opinions.items()},
        deeds={key: tuple(done) for key, done in deeds.items()},
    )


def acknowledgements(exams: Iterable[Exam], people: People) -> tuple[AcknowledgedAfter, ...]:
    """From the flag to each deed, and to the first of them."""
    flagged = [exam for exam in exams if exam.is_flagged and exam.triage_at_utc is not None]
    kinds = (("acknowledged", ACKNOWLEDGED), *((act.value, (act,)) for act in ACKNOWLEDGED))
    lines = []
    for name, acts in kinds:
        waits = [wait for exam in flagged if (wait := _wait_s(exam, people, acts)) is not None]
        good = [wait for wait in waits if wait >= 0]
        lines.append(
            AcknowledgedAfter(
                deed=name,
                flagged=len(flagged),
                done=len(waits),
                p50_s=percentile(good, 50),
                p95_s=percentile(good, 95),
                clock_was_set=len(waits) - len(good),
            )
        )
    return tuple(lines)


def _wait_s(exam: Exam, people: People, acts: tuple[Act, ...]) -> float | None:
    """Seconds from the flag to the first of these deeds; None: none was done."""
    assert exam.triage_at_utc is not None  # it is flagged
    done = [
        datetime.fromisoformat(deed.done_at_utc)
        for deed in people.deeds.get(exam.acquisition_id, ())
        if deed.act in acts
    ]
    return (min(done) - exam.triage_at_utc).total_seconds() if done else None
