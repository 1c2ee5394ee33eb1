# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What people think of findings, and what they did with an exam. Appended, never changed.

Of opinions the newest one counts, of deeds the first one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from appliance.domain.audit import AuditEvent, AuditKind
from appliance.domain.finding import Code, Decision
from appliance.store.audit import note
from appliance.store.connection import Database
from appliance.store.decisions import AT_THE_SCREEN


class Stance(str, Enum):
    """What a person says to a finding."""

    AGREE = "agree"
    DISAGREE = "disagree"
    UNSURE = "unsure"


class FirstLook(str, Enum):
    """What a person said about an image before the AI's answer was shown to them."""

    NOTHING = "nothing"
    SOMETHING = "something"


class Act(str, Enum):
    """What a person did with an exam, once for each version."""

    SEEN = "seen"
    """Opened it."""
    TOLD = "told"
    """Told the physician."""
    ESCALATED = "escalated"
    """Nobody could be told: handed on."""
    FIRST_LOOK = "first_look"
    AI_ASKED = "ai_asked"
    """Asked for the AI's answer after looking at the image alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The finding that an opinion is about, as the person saw it."""

    acquisition_id: str
    version: int
    task: str
    code: Code
    model: str | None
    """`task@version`; None: the result does not name it."""
    probability: float
    decision: Decision
    first_look: FirstLook | None
    """What they had said before the AI was shown; None: it was shown at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One tap on a finding."""

    subject: Subject
    stance: Stance
    given_at_utc: str
    opinion_id: int
    """Its row in the ledger: of two, the higher one is the newer one, whatever their dates say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that a person did with an exam."""

    acquisition_id: str
    version: int
    act: Act
    first_look: FirstLook | None
    """Only with Act.FIRST_LOOK."""
    done_at_utc: str


class Opinions:
    """The ledger of both."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, subject: Subject, stance: Stance) -> None:
        """Write an opinion down, durably."""
        code = subject.code
        first_look = subject.first_look.value if subject.first_look is not None else None
        with self._database.transaction() as write:
            write(
                "INSERT INTO opinion (acquisition_id, version, task, code_value, code_scheme, code_meaning,"
                " model, probability, decision, opinion, first_look, given_at_utc)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(subject.acquisition_id, subject.version, subject.task),
                    *(code.value, code.scheme, code.meaning),
                    *(subject.model, subject.probability, subject.decision.value),
                    *(stance.value, first_look, self._now()),
                ),
            )
            event = AuditEvent(
                kind=AuditKind.DECIDED,
                who=AT_THE_SCREEN,
                exam=subject.acquisition_id,
                about=(
                    ("version", str(subject.version)),
                    ("finding", f"{subject.task} {code.value}"),
                    ("opinion", stance.value),
                ),
            )
            note(self._database, write, event)

    def did(
        self, acquisition_id: str, version: int, act: Act, *, first_look: FirstLook | None = None
    ) -> None:
        """Write a deed down, durably; one that is there already stays as it is."""
        answer = first_look.value if first_look is not None else None
        with self._database.transaction() as write:
            new = write(
                "INSERT INTO deed (acquisition_id, version, deed, first_look, done_at_utc)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (acquisition_id, version, deed) DO NOTHING RETURNING 1",
                (acquisition_id, version, act.value, answer, self._now()),
            )
            if new:
                event = AuditEvent(
                    kind=AuditKind.SEEN,
                    who=AT_THE_SCREEN,
                    exam=acquisition_id,
                    about=(("version", str(version)), ("deed", act.value)),
                )
                note(self._database, write, event)

    def newest(self, acquisition_ids: Iterable[str]) -> tuple[Opinion, ...]:
        """The opinions that count on the newest versions of these acquisitions: one query for all."""
        rows = self._database.read(
            "SELECT acquisition_id, version, task, code_value, code_scheme, code_meaning, model, probability,"
            " decision, first_look, opinion, given_at_utc, opinion_id"
            " FROM opinion JOIN acquisition USING (acquisition_id, version)"
            " WHERE acquisition_id IN (SELECT value FROM json_each(?)) ORDER BY opinion_id",
            (json.dumps(list(acquisition_ids)),),
        )
        counting: dict[tuple[str, str, str, str], Opinion] = {}
        for acquisition_id, version, task, value, scheme, meaning, model, probability, *rest in rows:
            decision, first_look, stance, given_at_utc, opinion_id = rest
            counting[acquisition_id, task, value, scheme] = Opinion(
                subject=Subject(
                    acquisition_id=acquisition_id,
                    version=version,
                    task=task,
                    code=Code(value=value, scheme=scheme, meaning=meaning),
                    model=model,
                    probability=probability,
                    decision=Decision(decision),
                    first_look=FirstLook(first_look) if first_look else None,
                ),
                stance=Stance(stance),
                given_at_utc=given_at_utc,
                opinion_id=opinion_id,
            )
        return tuple(counting.values())

    def deeds(self, acquisition_ids: Iterable[str]) -> tuple[Deed, ...]:
        """What was done with the newest versions of these acquisitions: one query for all."""
        rows = self._database.read(
            "SELECT acquisition_id, version, deed, first_look, done_at_utc"
            " FROM deed JOIN acquisition USING (acquisition_id, version)"
            " WHERE acquisition_id IN (SELECT value FROM json_each(?)) ORDER BY deed_id",
            (json.dumps(list(acquisition_ids)),),
        )
        return tuple(
            Deed(
                acquisition_id=acquisition_id,
                version=version,
                act=Act(act),
                first_look=FirstLook(first_look) if first_look else None,
                done_at_utc=done_at_utc,
            )
            for acquisition_id, version, act, first_look, done_at_utc in rows
        )

    def _now(self) -> str:
        return self._database.clock.now_utc().isoformat()
