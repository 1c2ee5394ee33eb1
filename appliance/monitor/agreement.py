# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How often the people at the screen agree with each model, finding by finding."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.store.connection import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What people said to one finding of one model. Flagged findings only: nobody is asked about others."""

    model: str | None
    """`task@version`; None: the result did not name it."""
    code: str
    finding: str
    agree: int
    disagree: int
    unsure: int
    looked_first: int
    """How many of them had said what they saw before the AI's answer was shown."""


def agreement(database: Database) -> tuple[Agreement, ...]:
    """The opinions that count, per model and finding: the newest one on each finding of each version."""
    rows = database.read(
        "SELECT model, code_value, max(code_meaning), sum(opinion = 'agree'), sum(opinion = 'disagree'),"
        " sum(opinion = 'unsure'), count(first_look) FROM opinion"
        " WHERE opinion_id IN (SELECT max(opinion_id) FROM opinion"
        " GROUP BY acquisition_id, version, task, code_value, code_scheme)"
        " GROUP BY model, code_value, code_scheme ORDER BY model, code_value, code_scheme"
    )
    return tuple(
        Agreement(
            model=model,
            code=code,
            finding=finding,
            agree=agree,
            disagree=disagree,
            unsure=unsure,
            looked_first=looked_first,
        )
        for model, code, finding, agree, disagree, unsure, looked_first in rows
    )
