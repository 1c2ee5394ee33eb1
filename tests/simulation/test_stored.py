# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Door,
    Instance,
    Kind,
    LandedFile,
    SliceRef,
    Urgency,
)
from appliance.domain.finding import Code, Finding, decide
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.simulation.stored import read_store
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.landing import FileStatus, Landings
from appliance.store.opinions import Opinions, Stance, Subject
from appliance.store.results import Results

FRACTURE = Code(value="125605004", scheme="SCT", meaning="Fracture")
PNEUMOTHORAX = Code(value="36118008", scheme="SCT", meaning="Pneumothorax")
CANARY = "CANARY^JANE"
Arrive = Callable[..., None]


def finding(code: Code, probability: float) -> Finding:
    return Finding(
        task="chest_triage",
        code=code,
        probability=probability,
        sensitive_threshold=0.2,
        specific_threshold=0.6,
        decision=decide(probability, sensitive=0.2, specific=0.6),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(tmp_path: Path, clock: ManualClock) -> Iterator[Database]:
    with Database.open(tmp_path / "store.sqlite", data=tmp_path, clock=clock) as opened:
        yield opened


@pytest.fixture
def arrive(
    database: Database, clock: ManualClock, tmp_path: Path, make_instance: Callable[..., Instance]
) -> Arrive:
    """One radiograph of a study, whose triage lane answers with these findings, or not at all."""

    def one(name: str, *findings: Finding, study: str = "", urgency: Urgency = Urgency.LIVE) -> None:
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        instance = make_instance(
            sha256=sha256,
            study_instance_uid=study or f"1.2.{len(name)}.{int(sha256[:8], 16)}",
            sop_instance_uid=f"1.2.3.{int(sha256[:8], 16)}",
            patient={"patient_name": CANARY},
        )
        acquisition = Acquisition(
            acquisition_id=name,
            version=1,
            kind=Kind.PROJECTION,
            completeness=Completeness.COMPLETE,
            evidence="one image",
            urgency=urgency,
            instances=(instance,),
            slices=(SliceRef(instance=0, frame=0, position_mm=None),),
        )
        file = LandedFile(
            path=tmp_path / "spool" / sha256,
            sha256=sha256,
            size_bytes=1,
            door=Door.FOLDER,
            source=f"{name}.dcm",
            urgency=urgency,
            landed_at_utc=clock.now_utc(),
            noticed_ns=clock.monotonic_ns(),
            landed_ns=clock.monotonic_ns(),
        )
        Landings(database).land(
            file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition, queue=True
        )
        while job := Jobs(database, max_attempts=3).lease(worker="w", lease_s=1e6):
            answer = findings if job.lane is Lane.TRIAGE else ()
            result = LaneResult(acquisition_id=name, version=1, lane=job.lane, findings=answer)
            assert Results(database).commit(job, result)
        clock.advance(60)

    return one


def test_studies_with_their_answers_and_nobody_s_name(database: Database, arrive: Arrive) -> None:
    arrive("hand", finding(FRACTURE, 0.1), study="1.5")
    arrive("hand-again", finding(FRACTURE, 0.4), study="1.5")
    arrive("chest", finding(PNEUMOTHORAX, 0.8), urgency=Urgency.STAT)
    arrive("foot", finding(FRACTURE, 0.1))
    arrive("silent")
    found = read_store(database, unlooked_share=0.0)
    hand, chest, foot, silent = found.exams
    assert hand.harm_rate == pytest.approx(0.4), "the surer of two views"
    assert hand.probabilities == {"Fracture": 0.4}
    assert (chest.is_stat, chest.is_alarm, chest.harm_rate) == (True, True, pytest.approx(8.0))
    assert (foot.harm_rate, foot.is_alarm) == (0.0, False)
    assert silent.harm_rate is None
    assert (chest.arrived_at - hand.arrived_at).total_seconds() == 60, (
        "a study is there when its last image is"
    )
    assert CANARY not in repr(found)


def test_what_was_there_before_the_start_is_left_out(database: Database, arrive: Arrive) -> None:
    arrive("old", urgency=Urgency.BACKFILL)
    arrive("new")
    assert len(read_store(database, unlooked_share=0.0).exams) == 1


def test_what_people_said_is_what_was_there(database: Database, arrive: Arrive) -> None:
    for name, stance in (("a", Stance.AGREE), ("bb", Stance.DISAGREE), ("ccc", Stance.UNSURE)):
        arrive(name, finding(FRACTURE, 0.7))
        subject = Subject(
            acquisition_id=name,
            version=1,
            task="chest_triage",
            code=FRACTURE,
            model="m@1",
            probability=0.7,
            decision=finding(FRACTURE, 0.7).decision,
            first_look=None,
        )
        Opinions(database).give(subject, stance)
    found = read_store(database, unlooked_share=0.0)
    assert [exam.known for exam in found.exams] == [{"Fracture": True}, {"Fracture": False}, {}]
