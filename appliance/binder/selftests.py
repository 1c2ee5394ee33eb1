# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How often the device tested itself in a period, and what came of it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Final

from appliance.monitor.proof_log import LoggedProof
from appliance.monitor.reports.exams import Period
from appliance.monitor.reports.page import Cell, Column, Part, Table
from appliance.monitor.reports.share import share

MOST_FAILURES: Final = 1000
"""Failed tests are listed one by one up to here; all are counted."""
_NAMES: Final = {
    "worker": "worker: planted fault and known questions",
    "path": "the whole way of a test exam",
}
S_PER_H: Final = 3600.0


def in_period(proofs: tuple[LoggedProof, ...], period: Period) -> tuple[LoggedProof, ...]:
    """Those of the period."""
    return tuple(proof for proof in proofs if period.since <= proof.at_utc < period.until)


def selftest_part(proofs: tuple[LoggedProof, ...]) -> Part:
    """By month, and every failure."""
    months: defaultdict[tuple[str, str], list[LoggedProof]] = defaultdict(list)
    for proof in proofs:
        months[f"{proof.at_utc.astimezone():%Y-%m}", proof.proof].append(proof)
    rows: list[tuple[Cell, ...]] = []
    for (month, name), made in sorted(months.items()):
        failed = share(sum(not one.passed for one in made), len(made))
        gaps = [(later.at_utc - sooner.at_utc).total_seconds() for sooner, later in itertools.pairwise(made)]
        longest = max(gaps, default=None)
        rows.append(
            (
                month,
                _NAMES.get(name, name),
                failed.n,
                failed.hits,
                failed.value,
                failed.low,
                failed.high,
                longest,
            )
        )
    failures = [proof for proof in proofs if not proof.passed]
    columns = (
        Column(name="month", title="Month"),
        Column(name="test", title="Test"),
        Column(name="made", title="Made", form="number"),
        Column(name="failed", title="Failed", form="number"),
        Column(name="failed_share", title="Failed", form="share"),
        Column(name="failed_low", title="from", form="share"),
        Column(name="failed_high", title="to", form="share"),
        Column(name="longest_gap_s", title="Longest gap", form="time"),
    )
    failed_columns = (
        Column(name="at_utc", title="When (UTC)"),
        Column(name="test", title="Test"),
        Column(name="what", title="What came out wrong"),
    )
    return Part(
        title="Tests of the device by itself",
        words=(
            (
                "While a test has failed, the screen says AI OFF, and no answer since the last good test is"
                " shown. A gap is time in which the device was off, or work went first."
            ),
        ),
        warnings=(f"Of {len(failures)} failures the first {MOST_FAILURES} are listed.",)
        if len(failures) > MOST_FAILURES
        else (),
        tables=(
            Table(name="selftests", title="By month", columns=columns, rows=tuple(rows)),
            Table(
                name="selftest-failures",
                title="Failures",
                columns=failed_columns,
                rows=tuple(
                    (
                        f"{one.at_utc:%Y-%m-%d %H:%M:%S}",
                        _NAMES.get(one.proof, one.proof),
                        "; ".join(one.failures),
                    )
                    for one in failures[:MOST_FAILURES]
                ),
            ),
        ),
    )
