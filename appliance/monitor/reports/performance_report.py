# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The page of how good the models are here. No patient; subgroups only as counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from appliance.monitor.reports.cases import MODEL_NOT_NAMED, cases_of
from appliance.monitor.reports.exams import Exam
from appliance.monitor.reports.page import Cell, Column, Figure, Part, Table
from appliance.monitor.reports.people import People
from appliance.monitor.reports.performance import Performance, performance
from appliance.monitor.reports.plots import performance_plot
from appliance.monitor.reports.share import Share
from appliance.monitor.reports.truth import Resolved
from appliance.store.opinions import Stance
from appliance.store.thresholds import ThresholdChange

MOST_PLOTS: Final = 6
_SHARES: Final = ("sensitivity", "specificity", "ppv", "npv")
_TITLES: Final = {"ppv": "PPV", "npv": "NPV", "sensitivity": "Sensitivity", "specificity": "Specificity"}
_COUNTS: Final = (
    Column(name="true_positive", title="TP", form="number"),
    Column(name="false_positive", title="FP", form="number"),
    Column(name="false_negative", title="FN", form="number"),
    Column(name="true_negative", title="TN", form="number"),
    Column(name="unknown_flagged", title="flagged, not known", form="number"),
    Column(name="unknown_not_flagged", title="others, not known", form="number"),
)
_MEASURED: Final = tuple(
    column
    for name in _SHARES
    for column in (
        Column(name=name, title=_TITLES[name], form="share"),
        Column(name=f"{name}_low", title="from", form="share"),
        Column(name=f"{name}_high", title="to", form="share"),
    )
)
_SUBJECT: Final = (
    Column(name="model", title="Model"),
    Column(name="finding", title="Finding"),
    Column(name="code", title="Code"),
)


def performance_parts(
    exams: tuple[Exam, ...],
    people: People,
    resolved: Resolved,
    changes: Iterable[ThresholdChange],
) -> tuple[Part, ...]:
    """Outcomes, opinions, and what was moved."""
    lines = performance(cases_of(exams, resolved.truths))
    return (_truth(lines, resolved), _opinions(exams, people), _changes(changes))


def _truth(lines: tuple[Performance, ...], resolved: Resolved) -> Part:
    whole = [line for line in lines if line.group == "all"]
    groups = [line for line in lines if line.group != "all"]
    warnings = [
        f"{line.code.meaning} ({line.model}): {line.warning}"
        for line in whole
        if line.warning and line.point.value == "in force"
    ]
    if resolved.conflicts:
        warnings.append(f"Outcomes contradict each other about {resolved.conflicts} findings: none counts.")
    if resolved.unmatched:
        warnings.append(f"{resolved.unmatched} outcomes belong to no study of this period.")
    subjects = list(dict.fromkeys((line.code.meaning, line.model) for line in lines))
    figures = []
    for meaning, model in subjects[:MOST_PLOTS]:
        months = [
            line
            for line in groups
            if line.group == "month" and (line.code.meaning, line.model) == (meaning, model)
        ]
        if any(line.sensitivity.n or line.ppv.n for line in months):
            title = f"{meaning}, {model}"
            figures.append(
                Figure(svg=performance_plot(title, months), words=f"{title}: sensitivity and PPV by month.")
            )
    point = Column(name="operating_point", title="Operating point")
    group = (Column(name="group", title="By"), Column(name="value", title="Group"))
    return Part(
        title="Against what turned out",
        words=(
            (
                "One study counts once for each finding. A study without an outcome is not known, neither "
                "right nor wrong."
            ),
        ),
        warnings=tuple(warnings),
        figures=tuple(figures),
        tables=(
            Table(
                name="performance",
                title="All studies, by operating point",
                columns=(*_SUBJECT, point, *_COUNTS, *_MEASURED, Column(name="note", title="Note")),
                rows=tuple(
                    (*_subject(line), line.point.value, *_numbers(line), line.warning) for line in whole
                ),
            ),
            Table(
                name="performance-by-group",
                title="By month and group, at the operating point in force",
                columns=(*_SUBJECT, *group, *_COUNTS, *_MEASURED, Column(name="note", title="Note")),
                rows=tuple(
                    (*_subject(line), line.group, line.value, *_numbers(line), line.warning)
                    for line in groups
                ),
                note="Many groups, few studies in each: a difference between two of them is often chance.",
            ),
        ),
    )


def _subject(line: Performance) -> tuple[Cell, ...]:
    return line.model, line.code.meaning, line.code.value


def _numbers(line: Performance) -> tuple[Cell, ...]:
    counts = (line.true_positive, line.false_positive, line.false_negative, line.true_negative)
    shares: tuple[Share, ...] = (line.sensitivity, line.specificity, line.ppv, line.npv)
    measured = tuple(number for share in shares for number in (share.value, share.low, share.high))
    return (*counts, line.unknown_flagged, line.unknown_not_flagged, *measured)


def _opinions(exams: tuple[Exam, ...], people: People) -> Part:
    counted: Counter[tuple[str, str, str, Stance]] = Counter()
    for exam in exams:
        for opinion in people.opinions.get(exam.acquisition_id, ()):
            subject = opinion.subject
            model = subject.model or MODEL_NOT_NAMED
            counted[model, subject.code.meaning, subject.code.value, opinion.stance] += 1
    subjects = sorted({key[:3] for key in counted})
    rows: list[tuple[Cell, ...]] = [
        (*subject, *(counted[(*subject, stance)] for stance in Stance)) for subject in subjects
    ]
    stances = tuple(Column(name=stance.value, title=stance.value, form="number") for stance in Stance)
    return Part(
        title="What people said to flags",
        words=(
            (
                "An opinion is no outcome: whoever gave it had seen the flag, and nobody is asked about what "
                "was not flagged. It says how useful flags were."
            ),
        ),
        tables=(
            Table(
                name="opinions", title="Opinions that count", columns=(*_SUBJECT, *stances), rows=tuple(rows)
            ),
        ),
    )


def _changes(changes: Iterable[ThresholdChange]) -> Part:
    rows: list[tuple[Cell, ...]] = [
        (
            change.decided_at_utc,
            f"{change.task} {change.version}",
            change.release,
            change.code_value,
            change.old_threshold,
            change.new_threshold,
            change.sensitive_threshold,
            change.specific_threshold,
            change.decided_by,
            change.role,
            change.why,
        )
        for change in changes
    ]
    columns = (
        Column(name="decided_at_utc", title="When (UTC)"),
        Column(name="model", title="Model"),
        Column(name="release", title="Release", form="number"),
        Column(name="code", title="Finding"),
        Column(name="old", title="was", form="number"),
        Column(name="new", title="is", form="number"),
        Column(name="signed_low", title="signed from", form="number"),
        Column(name="signed_high", title="to", form="number"),
        Column(name="decided_by", title="By"),
        Column(name="role", title="Role"),
        Column(name="why", title="Why"),
    )
    return Part(
        title="Operating points that were moved",
        tables=(Table(name="threshold-changes", title="All changes", columns=columns, rows=tuple(rows)),),
    )
