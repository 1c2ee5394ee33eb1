# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whom to call back: where clinician, AI and what turned out disagree, with who was sent home and who called.

Three say something about a finding: the AI (flagged or not), a person at the screen (an opinion, else what
they said before the AI was shown), and later an outcome. Who said nothing disagrees with nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from appliance.domain.acquisition import Patient
from appliance.domain.finding import Code
from appliance.monitor.reports.exams import Exam, by_study
from appliance.monitor.reports.people import People
from appliance.monitor.reports.share import Share, share
from appliance.monitor.reports.truth import TruthKey, Word
from appliance.store.call_backs import Call, CallKey, CallStatus
from appliance.store.opinions import Act, FirstLook, Stance
from appliance.store.outcomes import Truth

REFERENCE_DIGITS: Final = 8
"""Of the name that a person types: 32 bits tell the call-backs of years apart."""
SOMETHING: Final = Code(value="-", scheme="-", meaning="Something, not named")
"""What a person saw on an image of which the AI flagged nothing."""


class Kind(str, Enum):
    """Who was wrong, or who disagrees. In the order in which they are called."""

    MISSED_BY_BOTH = "missed by AI and person"
    MISSED_BY_PERSON = "missed by the person"
    MISSED_BY_AI = "missed by the AI"
    CALLED_FALSELY = "treated as present, but was not there"
    UNRESOLVED = "AI and person disagree, no outcome yet"


_ORDER: Final = tuple(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBack:
    """One finding of one study."""

    reference: str
    """What a person types."""
    key: CallKey
    kind: Kind
    patient: Patient
    day: date
    finding: Code
    ai: str
    """flagged, not flagged."""
    person: str
    """says yes, says no, unsure, said nothing."""
    outcome: Truth
    sent_home: bool | None
    """None: no outcome file said."""
    status: CallStatus
    call: Call | None
    """The last entry; None: nobody has called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """How often outcome and what was said disagree, in one ISO week."""

    name: str
    """2026-W09."""
    rate: Share
    """Of the findings whose outcome is known."""


def call_backs(
    exams: Iterable[Exam], people: People, truths: Mapping[TruthKey, Word], calls: Mapping[CallKey, Call]
) -> tuple[CallBack, ...]:
    """Open ones first, who was sent home first, what was missed first."""
    found: list[CallBack] = []
    for study, its in by_study(exams).items():
        for code, flagged in _answers(its).items():
            word = truths.get((study, code.value, code.scheme))
            person = _person(its, code, people)
            kind = _kind(flagged=flagged, person=person, word=word, told=_told(its, people))
            if kind is not None:
                found.append(_call_back(its, (study, code), kind, flagged, person, word, calls))
        if _only_the_person(its, people):
            found.append(_call_back(its, (study, SOMETHING), Kind.UNRESOLVED, False, True, None, calls))
    return tuple(sorted(found, key=_urgency))


def discrepancies_by_week(
    exams: Iterable[Exam], people: People, truths: Mapping[TruthKey, Word]
) -> tuple[Week, ...]:
    """By the week of the exam, oldest first."""
    counted: dict[str, list[bool]] = {}
    for study, its in by_study(exams).items():
        year, week, _ = its[0].day.isocalendar()
        for code, flagged in _answers(its).items():
            word = truths.get((study, code.value, code.scheme))
            if word is None or word.truth is Truth.UNKNOWN:
                continue
            person = _person(its, code, people)
            kind = _kind(flagged=flagged, person=person, word=word, told=_told(its, people))
            counted.setdefault(f"{year}-W{week:02}", []).append(kind is not None)
    return tuple(
        Week(name=name, rate=share(sum(wrong), len(wrong))) for name, wrong in sorted(counted.items())
    )


def reference_of(key: CallKey) -> str:
    """The same for the same study and finding, and no patient data."""
    return hashlib.sha256("\n".join(key).encode("utf-8")).hexdigest()[:REFERENCE_DIGITS]


def _answers(exams: list[Exam]) -> dict[Code, bool]:
    """Each finding that the AI was asked about, and whether it was flagged on any image of the study."""
    answers: dict[Code, bool] = {}
    for exam in exams:
        for finding in exam.findings:
            answers[finding.code] = answers.get(finding.code, False) or finding.is_flagged
    return answers


def _person(exams: list[Exam], code: Code, people: People) -> bool | None:
    """What the person says of this finding; None: unsure, or nothing."""
    opinions = [
        opinion
        for exam in exams
        for opinion in people.opinions.get(exam.acquisition_id, ())
        if (opinion.subject.code.value, opinion.subject.code.scheme) == (code.value, code.scheme)
    ]
    if opinions:
        newest = max(opinions, key=lambda opinion: opinion.opinion_id)
        return {Stance.AGREE: True, Stance.DISAGREE: False}.get(newest.stance)
    return False if FirstLook.NOTHING in _first_looks(exams, people) else None


def _first_looks(exams: list[Exam], people: People) -> set[FirstLook]:
    return {
        deed.first_look
        for exam in exams
        for deed in people.deeds.get(exam.acquisition_id, ())
        if deed.first_look is not None
    }


def _told(exams: list[Exam], people: People) -> bool:
    """Somebody told the physician, or handed it on."""
    acts = {deed.act for exam in exams for deed in people.deeds.get(exam.acquisition_id, ())}
    return bool(acts & {Act.TOLD, Act.ESCALATED})


def _only_the_person(exams: list[Exam], people: People) -> bool:
    """They saw something, and the AI answered and flagged nothing."""
    answers = _answers(exams)
    return bool(answers) and not any(answers.values()) and FirstLook.SOMETHING in _first_looks(exams, people)


def _kind(*, flagged: bool, person: bool | None, word: Word | None, told: bool) -> Kind | None:
    truth = Truth.UNKNOWN if word is None else word.truth
    if truth is Truth.POSITIVE and not flagged:
        return Kind.MISSED_BY_BOTH if person is False else Kind.MISSED_BY_AI
    if truth is Truth.POSITIVE:
        return Kind.MISSED_BY_PERSON if person is False else None
    if truth is Truth.NEGATIVE:
        acted = person is True or (flagged and told and person is None)
        return Kind.CALLED_FALSELY if acted else None
    return Kind.UNRESOLVED if flagged and person is False else None


def _call_back(
    exams: list[Exam],
    subject: tuple[str, Code],
    kind: Kind,
    flagged: bool,
    person: bool | None,
    word: Word | None,
    calls: Mapping[CallKey, Call],
) -> CallBack:
    study, code = subject
    key = (study, code.value, code.scheme)
    call = calls.get(key)
    stands = call is not None and call.kind == kind.value
    return CallBack(
        reference=reference_of(key),
        key=key,
        kind=kind,
        patient=exams[0].first.patient,
        day=exams[0].day,
        finding=code,
        ai="flagged" if flagged else "not flagged",
        person={True: "says yes", False: "says no", None: "said nothing, or unsure"}[person],
        outcome=Truth.UNKNOWN if word is None else word.truth,
        sent_home=None if word is None else word.sent_home,
        status=call.status if call is not None and stands else CallStatus.OPEN,
        call=call,
    )


def _urgency(one: CallBack) -> tuple[int, bool, int, date, str]:
    done = {CallStatus.OPEN: 0, CallStatus.CALLED: 1, CallStatus.CLOSED: 2}[one.status]
    return done, one.sent_home is not True, _ORDER.index(one.kind), one.day, one.reference
