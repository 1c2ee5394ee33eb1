# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The light and the device's own notices follow what is so: urgent, undecided, down, proved, over."""

from __future__ import annotations

import json
import os
import pty
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from appliance.clock import ManualClock
from appliance.config import LightSettings, Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Code, Decision, Finding
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.monitor.fault import leave_fault
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.need import Need, Needs
from appliance.monitor.proof import Moment, ProofFile, write_proof
from appliance.outputs.stack_light import LightState
from appliance.processes.signals import LASTS_S, Signals, run_signals
from appliance.receivers import SenderSettings, WebhookSettings
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.jobs import Jobs
from appliance.store.opinions import Act, Opinions
from appliance.store.outbox import Outbox, Send
from appliance.store.results import Results

Land = Callable[..., Acquisition]
PNEUMOTHORAX = Code(value="36118008", scheme="SCT", meaning="Pneumothorax")
EFFUSION = Code(value="60046008", scheme="SCT", meaning="Pleural effusion")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(layout: Layout, clock: ManualClock) -> Iterator[Database]:
    with Database.open(layout.database, data=layout.data, clock=clock) as opened:
        yield opened


@pytest.fixture
def watching(layout: Layout, clock: ManualClock, database: Database) -> Iterator[Database]:
    """The store as another process sees it."""
    with Database.open(layout.database, data=layout.data, clock=clock) as opened:
        yield opened


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "film.dcm"
    write_chest(file, identity=Identity(patient_name="CANARY^JANE"), rows=360, columns=300)
    return file


class Device:
    """The rest of the appliance, as far as it can be seen from outside."""

    def __init__(self, layout: Layout, clock: ManualClock) -> None:
        self._layout, self._clock = layout, clock

    def lives(self, *processes: str) -> None:
        for process in processes or ("watcher", "worker", "sender"):
            Heartbeat(self._layout.run, process, self._clock).beat("waiting")

    def proves(self, *, passed: bool = True) -> None:
        now = Moment(
            at_utc=self._clock.now_utc(), at_ns=self._clock.monotonic_ns(), boot_id=self._clock.boot_id()
        )
        proof = ProofFile(
            made=now,
            took_ms=1.0,
            passed=passed,
            failures=() if passed else ("chest_triage",),
            image_passed=passed,
            last_passed=now if passed else None,
            interval_s=600.0,
        )
        write_proof(self._layout.run, proof)


@pytest.fixture
def device(layout: Layout, clock: ManualClock) -> Device:
    """All is well with it."""
    made = Device(layout, clock)
    made.lives()
    made.proves()
    return made


@pytest.fixture
def look(layout: Layout, watching: Database, clock: ManualClock) -> Callable[..., Need]:
    settings = LightSettings(kind="gpio", red_pin=1)
    needs = Needs(settings=settings, peers=("pacs",), run=layout.run, database=watching, clock=clock)
    any_high = Needs(
        settings=settings.model_copy(update={"any_high": True}),
        peers=(),
        run=layout.run,
        database=watching,
        clock=clock,
    )
    return lambda *, any_flag=False: (any_high if any_flag else needs).look()


def work_off(database: Database, *, code: Code = EFFUSION, decision: Decision, verdict: Verdict) -> None:
    """A worker that gives these answers to all that is queued."""
    jobs = Jobs(database, max_attempts=3)
    while (job := jobs.lease(worker="test", lease_s=60)) is not None:
        quality = QualityCheck(
            criterion="exposure", verdict=verdict, value=0.1, unit="1", limit=3.0, advice="Look."
        )
        finding = Finding(
            task="chest_triage",
            code=code,
            probability=0.8,
            sensitive_threshold=0.2,
            specific_threshold=0.7,
            decision=decision,
        )
        result = LaneResult(
            acquisition_id=job.acquisition_id,
            version=job.version,
            lane=job.lane,
            quality=(quality,) if job.lane is Lane.QUALITY else (),
            findings=(finding,) if job.lane is Lane.TRIAGE else (),
        )
        assert Results(database).commit(job, result)


def test_green_is_for_a_device_that_proved_itself_and_has_nothing_to_do(
    device: Device, look: Callable[..., Need], database: Database, land: Land, film: Path
) -> None:
    assert look().state is LightState.GREEN
    land([film])
    assert look().state is LightState.WORKING
    work_off(database, decision=Decision.ABSENT, verdict=Verdict.OK)
    assert look().state is LightState.GREEN


def test_red_until_somebody_says_that_they_told(
    device: Device, look: Callable[..., Need], database: Database, land: Land, film: Path
) -> None:
    exam = land([film])
    work_off(database, code=PNEUMOTHORAX, decision=Decision.PRESENT, verdict=Verdict.OK)
    need = look()
    assert (need.state, need.calling) == (LightState.RED, {exam.acquisition_id})
    assert "CANARY" not in need.why
    opinions = Opinions(database)
    opinions.did(exam.acquisition_id, exam.version, Act.SEEN)
    assert look().calling
    opinions.did(exam.acquisition_id, exam.version, Act.ESCALATED)
    assert (look().state, look().calling) == (LightState.RED, frozenset())
    opinions.did(exam.acquisition_id, exam.version, Act.TOLD)
    assert look().state is LightState.GREEN


@pytest.mark.parametrize(
    ("code", "decision", "states"),
    [
        (PNEUMOTHORAX, Decision.INDETERMINATE, (LightState.GREEN, LightState.GREEN)),
        (EFFUSION, Decision.PRESENT, (LightState.GREEN, LightState.RED)),
    ],
)
def test_what_can_wait_is_not_red(
    device: Device,
    look: Callable[..., Need],
    database: Database,
    land: Land,
    film: Path,
    code: Code,
    decision: Decision,
    states: tuple[LightState, LightState],
) -> None:
    """The second state: where a site wants red for every flag."""
    land([film])
    work_off(database, code=code, decision=decision, verdict=Verdict.OK)
    assert (look().state, look(any_flag=True).state) == states


@pytest.mark.parametrize("verdict", [Verdict.REPEAT, Verdict.CHECK])
def test_amber_until_somebody_decides_or_the_patient_is_long_gone(
    device: Device,
    look: Callable[..., Need],
    database: Database,
    land: Land,
    film: Path,
    clock: ManualClock,
    verdict: Verdict,
) -> None:
    exam = land([film])
    work_off(database, decision=Decision.ABSENT, verdict=verdict)
    assert look().state is LightState.AMBER
    Decisions(database).decide(exam.acquisition_id, exam.version, Choice.KEEP, reason=None)
    assert look().state is LightState.GREEN
    Decisions(database).decide(exam.acquisition_id, exam.version, Choice.WITHDRAWN, reason=None)
    assert look().state is LightState.AMBER
    clock.advance(15 * 60)
    device.lives()
    device.proves()
    assert look().state is LightState.GREEN


def test_a_device_that_cannot_be_counted_on_is_never_green(
    device: Device, look: Callable[..., Need], clock: ManualClock, layout: Layout
) -> None:
    device.proves(passed=False)
    assert (look().state, look().trouble) == (
        LightState.AI_OFF,
        "AI OFF: the device could not prove that its answers are right.",
    )
    device.proves()
    clock.advance(26)
    device.lives("watcher", "sender")
    assert look().why == "AI OFF: no image is checked: it gives no sign of life."
    device.lives()
    clock.advance(1801)
    device.lives()
    assert look().why == "AI OFF: the device has not proved itself lately."
    (layout.run / "proof.json").unlink()
    assert (look().state, look().trouble) == (LightState.AI_OFF, ""), "not proved yet is no news"
    leave_fault(layout.run, "sender", what="The disk is full.", remedy="Free some.", clock=clock)
    assert look().trouble == "No results leave the device: The disk is full."


def test_a_receiver_that_stays_away_is_amber(
    device: Device, look: Callable[..., Need], database: Database, clock: ManualClock
) -> None:
    send = Send(outbox_id=1, path=Path("a"), peer="pacs", attempts=0)
    Outbox(database).not_sent(send, reason="gone")
    assert look().state is LightState.GREEN
    clock.advance(601)
    device.lives()
    assert (look().state, look().trouble) == (LightState.AMBER, "No results reach pacs.")
    Outbox(database).sent(send)
    assert look().state is LightState.GREEN


@contextmanager
def line(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], list[str]]]]:
    """A serial line; what came over it since it was asked last."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    device = tmp_path / "ttyUSB0"
    device.symlink_to(os.ttyname(slave))

    def came() -> list[str]:
        try:
            return os.read(master, 65536).decode("ascii").splitlines()
        except BlockingIOError:
            return []

    try:
        yield device, came
    finally:
        os.close(master)
        os.close(slave)


def signals(layout: Layout, clock: ManualClock, database: Database, **settings: Any) -> Signals:
    return Signals(settings=Settings(**settings), layout=layout, clock=clock, database=database)


def test_the_light_shows_flashes_buzzes_for_a_while_and_is_told_that_we_live(
    device: Device,
    layout: Layout,
    clock: ManualClock,
    database: Database,
    watching: Database,
    land: Land,
    film: Path,
    tmp_path: Path,
) -> None:
    with line(tmp_path) as (tty_file, came):
        light = LightSettings(kind="serial", device=str(tty_file), buzz_s=2)
        with signals(layout, clock, watching, light=light) as process:
            process.step()
            assert came() == ["LIGHT green 0 0 1 0"]
            process.step()
            assert came() == []
            clock.advance(1)
            process.step()
            assert came() == ["LIGHT green 0 0 1 0"], "a sign of life"
            exam = land([film])
            work_off(database, code=PNEUMOTHORAX, decision=Decision.PRESENT, verdict=Verdict.OK)
            process.step()
            assert came() == ["LIGHT red 1 0 0 1"]
            clock.advance(2)
            process.step()
            assert came() == ["LIGHT red 1 0 0 0"], "nobody can bear it for long"
            Opinions(database).did(exam.acquisition_id, exam.version, Act.TOLD)
            device.proves(passed=False)
            seen = set()
            for _ in range(4):
                process.step()
                clock.advance(0.5)
                seen |= set(came())
            assert seen == {"LIGHT ai_off 0 1 0 0", "LIGHT ai_off 0 0 0 0"}
        assert came() == ["LIGHT dark 0 0 0 0"]
    beat = json.loads((layout.run / "signals.beat").read_bytes())
    assert beat["state"].startswith("ai_off: AI OFF")


def test_a_light_that_is_unplugged_is_said_once_and_works_again(
    device: Device, layout: Layout, clock: ManualClock, database: Database, tmp_path: Path
) -> None:
    light = LightSettings(kind="serial", device=str(tmp_path / "ttyUSB0"))
    with signals(layout, clock, database, light=light) as process, capture_logs() as logs:
        for _ in range(20):
            process.step()
            clock.advance(0.5)
        beat = json.loads((layout.run / "signals.beat").read_bytes())
        assert "cannot be opened" in beat["state"]
        with line(tmp_path) as (_, came):
            for _ in range(20):
                process.step()
                clock.advance(0.5)
            assert set(came()) == {"LIGHT green 0 0 1 0"}
            process.__exit__(None, None, None)
    assert [entry["event"] for entry in logs] == ["light does not work", "light works again"]


def test_who_asked_for_it_is_told_of_trouble_that_lasts_and_of_its_end(
    device: Device, layout: Layout, clock: ManualClock, database: Database
) -> None:
    ward = WebhookSettings(name="ward", url="https://example.org/", cooldown_s=0)
    quiet = WebhookSettings(name="quiet", url="https://example.org/", device_events=False)
    settings = {"site_name": "Clinic West", "sender": SenderSettings(webhooks=(ward, quiet))}
    told: list[str] = []
    with signals(layout, clock, database, **settings) as process:

        def pass_time(seconds: float) -> list[str]:
            clock.advance(seconds)
            device.lives()
            process.step()
            rows = database.read("SELECT path, peer FROM outbox ORDER BY outbox_id")
            new = [json.loads((layout.data / path).read_bytes())["advice"] for path, peer in rows]
            assert {peer for _, peer in rows} <= {"ward"}
            told[:], fresh = new, new[len(told) :]
            return fresh

        assert pass_time(60) == []
        device.proves(passed=False)
        assert pass_time(1) == []
        device.proves()
        assert pass_time(LASTS_S) == [], "it did not last"
        device.proves(passed=False)
        assert pass_time(1) == []
        assert pass_time(LASTS_S) == ["AI OFF: the device could not prove that its answers are right."]
        assert pass_time(60) == []
        device.proves()
        assert pass_time(1) == []
        assert pass_time(LASTS_S) == ["The device needs nobody any more."]


def test_the_process_ends_when_told_to(layout: Layout, clock: ManualClock) -> None:
    stop = Event()
    stop.set()
    run_signals(Settings(), layout, clock, stop)
    assert not (layout.run / "signals.beat").exists()
