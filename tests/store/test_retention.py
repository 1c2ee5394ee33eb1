# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing that is unread, unsent, undecided, unfinished or young is ever removed."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from appliance.domain.audit import AuditKind
from appliance.domain.finding import Code, Decision, Finding
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.store.audit import Trail
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.jobs import Jobs
from appliance.store.landing import FileStatus, Landings
from appliance.store.opinions import Act, Opinions
from appliance.store.outbox import Outbox
from appliance.store.results import Results
from appliance.store.retention import Retention

S_PER_DAY = 86400.0
KEEP_DAYS = 30.0
PEERS = ("archive", "courier")


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What happened to an exam."""

    days_old: float = 40.0
    slices: int = 1
    received: bool = True
    lanes_done: int = 3
    verdict: Verdict = Verdict.OK
    finding: Decision = Decision.ABSENT
    sent: frozenset[tuple[str, int]] = frozenset((peer, n) for peer in PEERS for n in range(3))
    rendered: bool = True
    acts: frozenset[Act] = frozenset({Act.SEEN})
    decided: Choice | None = None
    withdrawn: bool = False
    amended_afterwards: bool = False

    @property
    def may_go(self) -> bool:
        """The rules of docs/retention.md once more, over what was done instead of over rows."""
        sent = all((peer, n) in self.sent for peer in PEERS for n in range(self.slices))
        decided = self.decided is not None and not self.withdrawn
        read = bool(self.acts) or decided
        bad = self.verdict in (Verdict.CHECK, Verdict.REPEAT) and self.lanes_done >= 1
        found = self.finding is not Decision.ABSENT and self.lanes_done >= 2
        told = bool(self.acts & {Act.TOLD, Act.ESCALATED})
        return (
            self.received
            and self.lanes_done == 3
            and self.rendered
            and (self.decided is not Choice.REPEAT or self.withdrawn)  # its note is on its way
            and not self.amended_afterwards
            and self.days_old >= KEEP_DAYS
            and sent
            and read
            and (decided or (not bad and (not found or told)))
        )


fates = st.builds(
    Fate,
    days_old=st.sampled_from((0.0, 29.0, 31.0, 400.0)),
    slices=st.integers(1, 3),
    received=st.booleans() | st.just(value=True),
    lanes_done=st.sampled_from((0, 1, 2, 3, 3, 3, 3, 3)),
    verdict=st.sampled_from(Verdict),
    finding=st.sampled_from(Decision),
    sent=st.just(Fate().sent) | st.frozensets(st.tuples(st.sampled_from(PEERS), st.integers(0, 2))),
    rendered=st.booleans() | st.just(value=True),
    acts=st.frozensets(st.sampled_from((Act.SEEN, Act.TOLD, Act.ESCALATED))),
    decided=st.none() | st.sampled_from((Choice.KEEP, Choice.REPEAT)),
    withdrawn=st.booleans(),
    amended_afterwards=st.sampled_from((False, False, True)),
)


class Device:
    """A store with its spool."""

    def __init__(self, folder: Path, make_instance: Callable[..., Instance]) -> None:
        self.layout = Layout(data=folder)
        self.layout.create()
        self.clock = ManualClock()
        self.database = Database.open(self.layout.database, data=folder, clock=self.clock)
        self.database.read("PRAGMA synchronous=OFF")  # nobody pulls this plug
        self.make_instance = make_instance
        self.retention = Retention(self.database, receivers=PEERS, keep_days=KEEP_DAYS)

    def live(self, name: str, fate: Fate) -> None:
        acquisition = self._land(name, fate)
        if fate.received:
            self._answer(acquisition, fate)
        outbox = Outbox(self.database)
        for peer in PEERS:
            waiting = []
            while (send := outbox.next_send(peer)) is not None:
                waiting.append(send)
                self.database.read("UPDATE outbox SET done = 2 WHERE outbox_id = ?", (send.outbox_id,))
            self.database.read("UPDATE outbox SET done = 0 WHERE done = 2")
            for number, send in enumerate(waiting):
                if (peer, number) in fate.sent:
                    outbox.sent(send)
                else:
                    self.database.read("UPDATE outbox SET done = 3 WHERE outbox_id = ?", (send.outbox_id,))
        for act in fate.acts:
            Opinions(self.database).did(name, 1, act)
        if fate.decided is not None:
            Decisions(self.database).decide(name, 1, fate.decided, reason=None)
            if fate.withdrawn:
                Decisions(self.database).decide(name, 1, Choice.WITHDRAWN, reason=None)
            self.database.read("UPDATE outbox SET done = 3 WHERE done = 0 AND decision_id IS NOT NULL")
        if fate.amended_afterwards:
            self.database.read("UPDATE acquisition SET version = 2 WHERE acquisition_id = ?", (name,))
            self.database.read(
                "UPDATE job SET version = 2, state = 'leased' WHERE acquisition_id = ?", (name,)
            )

    def _land(self, name: str, fate: Fate) -> Acquisition:
        instances: list[Instance] = []
        for number in range(fate.slices):
            content = f"{name} {number}".encode()
            sha256 = hashlib.sha256(content).hexdigest()
            path = self.layout.spool / sha256[:2] / sha256
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            instances.append(
                self.make_instance(
                    sha256=sha256,
                    path=path,
                    series_instance_uid=f"1.{name}",
                    sop_instance_uid=f"1.{name}.{number}",
                )
            )
            last = number == fate.slices - 1
            done = fate.received and last
            acquisition = Acquisition(
                acquisition_id=name,
                version=1,
                kind=Kind.VOLUME,
                completeness=Completeness.COMPLETE if done else Completeness.RECEIVING,
                evidence="",
                urgency=Urgency.LIVE,
                instances=tuple(instances),
                slices=(SliceRef(instance=0, frame=0, position_mm=None),),
            )
            file = LandedFile(
                path=path,
                sha256=sha256,
                size_bytes=len(content),
                door=Door.FOLDER,
                source="x",
                urgency=Urgency.LIVE,
                landed_at_utc=self.clock.now_utc(),
                noticed_ns=0,
                landed_ns=0,
            )
            Landings(self.database, peers_for_originals=PEERS).land(
                file, status=FileStatus.ACCEPTED, instance=instances[-1], acquisition=acquisition, queue=done
            )
        return acquisition

    def _answer(self, acquisition: Acquisition, fate: Fate) -> None:
        check = QualityCheck(
            criterion="c", verdict=fate.verdict, value=None, unit=None, limit=None, advice=""
        )
        finding = Finding(
            task="t",
            code=Code(value="1", scheme="SCT", meaning="m"),
            probability=0.5,
            sensitive_threshold=0.3,
            specific_threshold=0.6,
            decision=fate.finding,
        )
        jobs, outbox = Jobs(self.database, max_attempts=3), Outbox(self.database)
        for _ in range(fate.lanes_done):
            job = jobs.lease(worker="worker", lease_s=60)
            assert job is not None
            result = LaneResult(
                acquisition_id=acquisition.acquisition_id,
                version=1,
                lane=job.lane,
                quality=(check,) if job.lane is Lane.QUALITY else (),
                findings=(finding,) if job.lane is Lane.TRIAGE else (),
            )
            assert Results(self.database).commit(job, result)
        self.database.read(
            "UPDATE job SET state = 'leased' WHERE state = 'queued' AND acquisition_id = ?",
            (acquisition.acquisition_id,),
        )
        while fate.rendered and (render := outbox.next_render()) is not None:
            outbox.rendered(render, deliveries=())
        if not fate.rendered:
            self.database.read("UPDATE outbox SET done = 4 WHERE step = 'render' AND done = 0")

    def reopen(self) -> None:
        """What was kept back is open again."""
        self.database.read("UPDATE outbox SET done = 0 WHERE done IN (3, 4)")

    def files_of(self, name: str) -> list[Path]:
        rows = self.database.read("SELECT path FROM file WHERE acquisition_id = ?", (name,))
        return [self.layout.data / path for (path,) in rows]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(fates, min_size=1, max_size=6))
def test_only_what_may_go_goes(make_instance: Callable[..., Instance], lives: list[Fate]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        device = Device(Path(folder), make_instance)
        with device.database:
            exams = sorted(enumerate(lives), key=lambda exam: -exam[1].days_old)
            now_days = 0.0
            for number, fate in exams:
                device.clock.advance((400.0 - fate.days_old - now_days) * S_PER_DAY)
                now_days = 400.0 - fate.days_old
                device.live(f"e{number}", fate)
            device.reopen()
            device.clock.advance((400.0 - now_days) * S_PER_DAY)
            expected = [f"e{number}" for number, fate in exams if fate.may_go]
            assert list(device.retention.candidates()) == expected
            for number, _ in exams:
                device.retention.remove(f"e{number}")
            for number, fate in exams:
                there = [file.exists() for file in device.files_of(f"e{number}")]
                assert there == [not fate.may_go] * fate.slices
            removed = [
                row.event.exam for row in Trail(device.database).rows() if row.event.kind is AuditKind.REMOVED
            ]
            assert sorted(removed, key=str) == sorted(expected)


@pytest.fixture
def device(tmp_path: Path, make_instance: Callable[..., Instance]) -> Device:
    return Device(tmp_path / "data", make_instance)


def test_without_a_receiver_nothing_goes(device: Device) -> None:
    with device.database as database:
        device.live("e", Fate())
        device.clock.advance(400 * S_PER_DAY)
        assert Retention(database, receivers=(), keep_days=KEEP_DAYS).candidates() == ()
        assert device.retention.candidates() == ("e",)


def test_an_interrupted_removal_is_finished(device: Device) -> None:
    with device.database as database:
        device.live("e", Fate())
        (file,) = device.files_of("e")
        database.read("UPDATE file SET removed_at_utc = '2026-01-01T00:00:00+00:00'")
        assert file.exists()
        assert device.retention.finish() == 1
        assert not file.exists()


def test_pictures_of_past_versions_and_of_removed_exams_go_first(device: Device) -> None:
    with device.database as database:
        device.live("e", Fate())
        for version in (1, 2):
            device.layout.view_of("e", version).mkdir(parents=True)
        (device.layout.views / "somebody's folder").mkdir()
        assert device.retention.views_that_may_go() == ()
        database.read("UPDATE acquisition SET version = 2")
        assert device.retention.views_that_may_go() == (device.layout.view_of("e", 1),)
        database.read("UPDATE file SET removed_at_utc = 'now'")
        assert len(device.retention.views_that_may_go()) == 2


def test_an_exam_that_a_receiver_was_never_offered_stays(device: Device) -> None:
    with device.database as database:
        device.live("e", Fate())
        device.clock.advance(400 * S_PER_DAY)
        later = Retention(database, receivers=(*PEERS, "came later"), keep_days=KEEP_DAYS)
        assert later.why_kept("e") == "unsent"
