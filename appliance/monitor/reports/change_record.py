# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a moved operating point, in the three parts of a predetermined change control plan.

FDA's guidance on such plans (final, 2024): a description of the modification, the protocol by which it is
made, and the assessment of its impact. The impact is counted on this device's own results.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from appliance.domain.card import Label, ModelCard
from appliance.monitor.reports.cases import cases_of
from appliance.monitor.reports.exams import Period
from appliance.monitor.reports.truth import read_with_truth
from appliance.store.connection import Database
from appliance.store.outcomes import Truth
from appliance.store.thresholds import Thresholds

LOOK_BACK_DAYS: Final = 30
"""What came in this many days is decided again at the new operating point."""


def change_record(database: Database, card: ModelCard, label: Label, *, to: float) -> dict[str, Any]:
    """The record of moving the label's operating point to `to`."""
    local = Thresholds(database).in_force(card).get((label.code.value, label.code.scheme))
    before = label.sensitive_threshold if local is None else local.in_force
    today = database.clock.now_utc().astimezone().date()
    period = Period(first_day=today - timedelta(days=LOOK_BACK_DAYS), last_day=today)
    exams, resolved = read_with_truth(database, period)
    cases = [
        case
        for case in cases_of(exams, resolved.truths)
        if case.task == card.task and case.code == label.code and case.model == card.identity
    ]
    flagged = [sum(case.probability >= point for case in cases) for point in (before, to)]
    missed = sum(case.truth is Truth.POSITIVE and before <= case.probability < to for case in cases)
    words = (
        f"Of {len(cases)} studies of the last {LOOK_BACK_DAYS} days, {flagged[0]} reach {before:g} and "
        f"{flagged[1]} reach {to:g}; {missed} of those between are known to be positive."
    )
    return {
        "description": {
            "what": f"Operating point of {label.code.meaning} ({label.code.value})",
            "model": card.identity,
            "name": card.name,
            "release": card.release,
            "from": before,
            "to": to,
        },
        "protocol": {
            "allowed": [label.sensitive_threshold, label.specific_threshold],
            "range_from": "the signed model card",
            "authorised_by": "the PIN of the role lead",
            "applied": "by the worker at the next image; each finding carries both thresholds",
            "ends": "with the next release of the model",
        },
        "impact": {
            "days": LOOK_BACK_DAYS,
            "studies": len(cases),
            "flagged_before": flagged[0],
            "flagged_after": flagged[1],
            "known_positive_lost": missed,
            "words": words,
        },
    }
