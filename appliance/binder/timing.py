# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How long answers took in a period, and how many checks came too late: by month, with intervals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from appliance.clock import NS_PER_S
from appliance.domain.acquisition import Kind, Urgency
from appliance.domain.deadline import deadline_s
from appliance.domain.job import Lane
from appliance.monitor.counting import MS_PER_S, STAGES, deadline_outcome
from appliance.monitor.reports.exams import Period
from appliance.monitor.reports.page import Cell, Column, Part, Table
from appliance.monitor.reports.share import percentile, share
from appliance.store.connection import Database
from appliance.store.tallies import StoredResult, Tallies

MS_DIGITS: Final = 3
"""Of seconds: milliseconds."""
PERCENTS: Final = (50.0, 95.0, 99.0, 100.0)
_TIMES: Final = tuple(
    Column(name=name, title=title, form="number")
    for name, title in (
        ("p50_s", "Median, s"),
        ("p95_s", "95 %, s"),
        ("p99_s", "99 %, s"),
        ("longest_s", "Longest, s"),
    )
)
_COUNT: Final = Column(name="n", title="Answers", form="number")
_MONTH: Final = Column(name="month", title="Month")


def timing_parts(database: Database, period: Period) -> tuple[Part, ...]:
    """From the first sight of the last file of an exam to the commit of each lane's answer."""
    results = Tallies(database).results_between(period.since, period.until)
    return _counted(tuple(results))


def _counted(results: Iterable[tuple[datetime, StoredResult]]) -> tuple[Part, ...]:
    took_s: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    stage_s: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    outcomes: Counter[tuple[str, str, str]] = Counter()
    for committed_at, stored in results:
        month, lane = f"{committed_at.astimezone():%Y-%m}", stored.result.lane
        for timing in stored.result.timings:
            if timing.stage in STAGES:
                stage_s[lane.value, timing.stage].append(timing.duration_ms / MS_PER_S)
        if stored.urgency is Urgency.BACKFILL:
            continue
        if stored.took_ns is not None:
            took_s[month, lane.value].append(stored.took_ns / NS_PER_S)
        if lane is Lane.QUALITY:
            outcomes[month, stored.kind.value, deadline_outcome(stored)] += 1
    return _answers(took_s), _deadlines(outcomes), _stages(stage_s)


def _answers(took_s: dict[tuple[str, str], list[float]]) -> Part:
    lane = Column(name="lane", title="Lane")
    rows = tuple((*key, len(values), *_percentiles(values)) for key, values in sorted(took_s.items()))
    return Part(
        title="From landing to answer",
        words=(
            "Images that already waited when the device started are left out: no patient stood beside it.",
        ),
        tables=(
            Table(
                name="answers", title="By month and lane", columns=(_MONTH, lane, _COUNT, *_TIMES), rows=rows
            ),
        ),
    )


def _deadlines(outcomes: Counter[tuple[str, str, str]]) -> Part:
    names = ("in_time", "late", "unknown", "without_check")
    titles = ("In time", "Late", "Not known (restart)", "Nothing to judge")
    columns = (
        _MONTH,
        Column(name="kind", title="Kind"),
        Column(name="limit_s", title="Limit, s", form="number"),
        *(Column(name=name, title=title, form="number") for name, title in zip(names, titles, strict=True)),
        Column(name="late_share", title="Late", form="share"),
        Column(name="late_low", title="from", form="share"),
        Column(name="late_high", title="to", form="share"),
    )
    rows: list[tuple[Cell, ...]] = []
    for month, kind in sorted({key[:2] for key in outcomes}):
        counts = [outcomes[month, kind, name] for name in names]
        late = share(counts[1], counts[0] + counts[1])
        rows.append((month, kind, deadline_s(Kind(kind)), *counts, late.value, late.low, late.high))
    return Part(
        title="Missed deadlines of the quality check",
        tables=(Table(name="deadlines", title="By month and kind", columns=columns, rows=tuple(rows)),),
    )


def _stages(stage_s: dict[tuple[str, str], list[float]]) -> Part:
    columns = (Column(name="lane", title="Lane"), Column(name="stage", title="Stage"), _COUNT, *_TIMES)
    rows = tuple((*key, len(values), *_percentiles(values)) for key, values in sorted(stage_s.items()))
    return Part(
        title="Where the time goes",
        tables=(Table(name="stages", title="By lane and stage", columns=columns, rows=rows),),
    )


def _percentiles(values: list[float]) -> tuple[Cell, ...]:
    found = (percentile(values, percent) for percent in PERCENTS)
    return tuple(None if value is None else round(value, MS_DIGITS) for value in found)
