# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a model said to one study about one finding, beside what turned out: the unit that is counted.

A study, not an image: two views of one chest are one question, and a laboratory answers it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appliance.domain.finding import Code, Finding
from appliance.monitor.reports.exams import NOT_SAID, Exam, by_study
from appliance.monitor.reports.truth import TruthKey, Word
from appliance.store.outcomes import Truth

MODEL_NOT_NAMED: Final = "model not named"
AGE_BANDS: Final = ((18, "0-17"), (40, "18-39"), (65, "40-64"), (200, "65 and over"))
"""Upper bound in years, not in it any more, and how the band is called."""
SEVERAL: Final = "several"
"""The images of one study differ in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One study, one finding, one model."""

    study_instance_uid: str
    task: str
    code: Code
    model: str
    """`task@version`."""
    arrived_at_utc: datetime
    month: str
    sex: str
    age_band: str
    view: str
    probability: float
    """The highest of the study's images."""
    is_flagged: bool
    """At the operating point that was in force."""
    is_moved: bool
    """The site had moved it."""
    in_force: float
    """The operating point at that time."""
    signed_sensitive: float
    signed_specific: float
    truth: Truth
    is_conflict: bool
    """Outcomes contradict each other; the truth is unknown then."""


def cases_of(exams: Iterable[Exam], truths: Mapping[TruthKey, Word]) -> tuple[Case, ...]:
    """One for each study, finding and model that answered, in order of arrival."""
    cases: list[Case] = []
    for study, its in by_study(exams).items():
        answers: dict[tuple[str, Code, str], list[tuple[Exam, Finding]]] = {}
        for exam in its:
            for finding in exam.findings:
                model = exam.models.get(finding.task, MODEL_NOT_NAMED)
                answers.setdefault((finding.task, finding.code, model), []).append((exam, finding))
        for (task, code, model), said in answers.items():
            findings = [finding for _, finding in said]
            highest = max(findings, key=lambda finding: finding.probability)
            word = truths.get((study, code.value, code.scheme))
            first = said[0][0]
            cases.append(
                Case(
                    study_instance_uid=study,
                    task=task,
                    code=code,
                    model=model,
                    arrived_at_utc=first.arrived_at_utc,
                    month=first.month,
                    sex=first.first.patient.patient_sex or NOT_SAID,
                    age_band=age_band(first.first.patient.age_years),
                    view=_one_of({exam.view for exam, _ in said}),
                    probability=highest.probability,
                    is_flagged=any(finding.is_flagged for finding in findings),
                    is_moved=any(finding.local_threshold is not None for finding in findings),
                    in_force=highest.sensitive_threshold,
                    signed_sensitive=highest.signed_threshold,
                    signed_specific=highest.specific_threshold,
                    truth=Truth.UNKNOWN if word is None else word.truth,
                    is_conflict=word is not None and word.is_conflict,
                )
            )
    return tuple(sorted(cases, key=lambda case: (case.arrived_at_utc, case.task, case.code.value)))


def age_band(age_years: float | None) -> str:
    """Its name; unknown stays so."""
    if age_years is None:
        return NOT_SAID
    return next((name for limit, name in AGE_BANDS if age_years < limit), NOT_SAID)


def _one_of(values: set[str]) -> str:
    return values.pop() if len(values) == 1 else SEVERAL
