# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The exams of this device's own store, as a simulation needs them: times and answers, nobody's name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from appliance.domain.acquisition import Urgency
from appliance.domain.fair_order import harm_rate_of, is_alarm
from appliance.domain.finding import Finding
from appliance.domain.job import Lane
from appliance.simulation.recorded import Exam, Recorded
from appliance.store.board import Board, BoardEntry
from appliance.store.connection import Database
from appliance.store.opinions import Opinions, Stance


@dataclass(slots=True, kw_only=True)
class _Study:
    """Everything of one study: a person reads it as a whole."""

    arrived_at: datetime
    is_stat: bool = False
    findings: list[Finding] = field(default_factory=list)
    acquisition_ids: list[str] = field(default_factory=list)


def read_store(database: Database, *, unlooked_share: float) -> Recorded:
    """Every study that came while the appliance ran. Raises StoreError where the store cannot be read.

    What was already waiting when the appliance started is left out: nobody knows when it came. A study is
    there when its last acquisition is. What people said to a finding (agree, disagree) counts as what was
    there.
    """
    studies: dict[str, _Study] = {}
    for entry in Board(database).every_entry():
        if entry.urgency is not Urgency.BACKFILL:
            _add(studies, entry)
    opinions = Opinions(database)
    exams = [_exam(study, _known(opinions, study)) for study in studies.values()]
    exams.sort(key=lambda exam: exam.arrived_at)
    return Recorded(exams=tuple(exams), unlooked_share=unlooked_share)


def _add(studies: dict[str, _Study], entry: BoardEntry) -> None:
    landed_at = entry.landed_at_utc.astimezone().replace(tzinfo=None)
    study = studies.setdefault(entry.first.study_instance_uid, _Study(arrived_at=landed_at))
    study.arrived_at = max(study.arrived_at, landed_at)
    study.is_stat |= entry.urgency is Urgency.STAT
    study.acquisition_ids.append(entry.acquisition_id)
    triage = entry.lane(Lane.TRIAGE)
    if triage is not None and triage.result is not None:
        study.findings.extend(triage.result.findings)


def _known(opinions: Opinions, study: _Study) -> dict[str, bool]:
    known: dict[str, bool] = {}
    for opinion in opinions.newest(study.acquisition_ids):
        name = opinion.subject.code.meaning
        if opinion.stance is Stance.AGREE:
            known[name] = True
        elif opinion.stance is Stance.DISAGREE:
            known.setdefault(name, False)
    return known


def _exam(study: _Study, known: dict[str, bool]) -> Exam:
    """A finding of two views is as probable as in the surer one of them."""
    surest: dict[tuple[str, str], Finding] = {}
    for finding in study.findings:
        key = (finding.code.value, finding.code.scheme)
        if key not in surest or finding.probability > surest[key].probability:
            surest[key] = finding
    return Exam(
        arrived_at=study.arrived_at,
        is_stat=study.is_stat,
        is_alarm=any(is_alarm(finding) for finding in study.findings),
        harm_rate=harm_rate_of(tuple(surest.values())),
        probabilities={finding.code.meaning: finding.probability for finding in surest.values()},
        known=known,
    )
