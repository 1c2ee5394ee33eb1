# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Everything in the appliance that waits, with the wall clock set in the middle of the wait.

Each wait says in words what went wrong; nothing when it took as long as it should. The clock is moved by
hand: its monotonic part by what passes, its wall part by what somebody does to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from appliance.clock import ManualClock
from appliance.domain.acquisition import Urgency
from appliance.domain.expected import ExpectedStep, PerformedStep, StepStatus
from appliance.intake.complete import Look, Waiting
from appliance.layout import Layout
from appliance.models.retry import Retry
from appliance.monitor.away import AwayTimes
from appliance.monitor.heartbeat import Heartbeat, read_beat
from appliance.outputs.notice import Notice, NoticeKind
from appliance.outputs.telling import Cooldown
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.expected import KEPT_AFTER, Expected
from appliance.store.jobs import Jobs
from appliance.store.performed import KEPT, PerformedSteps
from benchmarks.faults.landing_place import LandingPlace
from benchmarks.faults.tiny_images import tiny_radiograph
from ui.pin_state import FREE_TRIES, Tries, after_wrong, pause_left_s

Jump = Callable[[datetime], datetime]
JUMPS: Final[dict[str, Jump]] = {
    "+2 h": lambda now: now + timedelta(hours=2),
    "-2 h": lambda now: now - timedelta(hours=2),
    "+10 y": lambda now: now + timedelta(days=3652),
    "-10 y": lambda now: now - timedelta(days=3652),
    "1970": lambda _: datetime(1970, 1, 1, tzinfo=timezone.utc),
    "to the hour before DST begins": lambda _: datetime(2026, 3, 29, 0, 59, 59, tzinfo=timezone.utc),
    "to the hour before DST ends": lambda _: datetime(2026, 10, 25, 0, 59, 59, tzinfo=timezone.utc),
}
"""What somebody, a time server or an empty battery does to the wall clock."""
WAIT_S: Final = 120.0
"""Of the waits below, where they may be chosen."""
A_MOMENT_S: Final = 1.0
DAY_S: Final = 86_400.0


class Bench:
    """A store, and the clock."""

    def __init__(self, folder: Path, jump: Jump, database: Database, clock: ManualClock) -> None:
        self.folder, self.database, self.clock = folder, database, clock
        self._jump = jump

    def jump(self) -> None:
        """Somebody sets the clock."""
        self.clock.set_utc(self._jump(self.clock.now_utc()))

    def place(self) -> LandingPlace:
        """Where files land."""
        return LandingPlace(Layout(data=self.folder), self.database, self.clock, series_quiet_s=WAIT_S)

    def wait(self, is_over: Callable[[], bool]) -> str | None:
        """A wait of WAIT_S begins now, and the clock is set in the middle of it."""
        self.clock.advance(WAIT_S / 2)
        self.jump()
        self.clock.advance(WAIT_S / 2 - A_MOMENT_S)
        if is_over():
            return "over too early"
        self.clock.advance(2 * A_MOMENT_S)
        return None if is_over() else "not over in time"


def partial_file(bench: Bench) -> str | None:
    """A file that stays unfinished."""
    waiting = Waiting(look_interval_s=0.05, truncated_after_s=WAIT_S)
    path = bench.folder / "half.dcm"
    path.write_bytes(b"half")
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=bench.clock.monotonic_ns())
    looks: list[Look] = []

    def overdue() -> bool:
        while (candidate := waiting.due(bench.clock.monotonic_ns())) is not None:
            looks.append(waiting.look(candidate, bench.clock.monotonic_ns()))
            if looks[-1] is Look.READY:
                now_ns = bench.clock.monotonic_ns()
                waiting.unfinished(candidate, "half", started_ns=now_ns, now_ns=now_ns)
            elif looks[-1] is Look.OVERDUE:
                return True
        return False

    overdue()
    bench.clock.advance(0.05)
    overdue()
    return bench.wait(overdue)


def lease(bench: Bench) -> str | None:
    """A job whose worker has died."""
    bench.place().take(tiny_radiograph(1))
    jobs = Jobs(bench.database, max_attempts=3)
    assert jobs.lease(worker="one", lease_s=WAIT_S) is not None
    return bench.wait(lambda: jobs.take_back() > 0)


def engine(bench: Bench) -> str | None:
    """An engine that failed."""
    retry = Retry(bench.clock, engines=("gpu",), first_s=WAIT_S, longest_s=WAIT_S)
    retry.failed("chest", "gpu")
    return bench.wait(lambda: bool(retry.due("chest")))


def receiver_away(bench: Bench) -> str | None:
    """A receiver that takes nothing."""
    away = AwayTimes(bench.clock)
    since = bench.clock.now_utc()
    away.away_s("PACS", since)
    return bench.wait(lambda: away.away_s("PACS", since) > WAIT_S)


def cooldown(bench: Bench) -> str | None:
    """A notice of a sort that has just gone out."""
    cooldown = Cooldown(WAIT_S, bench.clock)
    notice = Notice(
        kind=NoticeKind.DEVICE,
        site="",
        station=None,
        task=None,
        finding=None,
        band=None,
        advice="The disk is nearly full.",
        time=None,
        link=None,
    )
    cooldown.went_out(notice)
    return bench.wait(lambda: not cooldown.holds_back(notice))


def wrong_pins(bench: Bench) -> str | None:
    """The pause after wrong PINs, however long it is."""
    tries = Tries()
    for _ in range(FREE_TRIES + 2):
        tries = after_wrong(tries, now_ns=bench.clock.monotonic_ns())
    left_s = pause_left_s(tries, now_ns=bench.clock.monotonic_ns())
    bench.jump()
    bench.clock.advance(left_s - A_MOMENT_S)
    if pause_left_s(tries, now_ns=bench.clock.monotonic_ns()) == 0:
        return "over too early"
    bench.clock.advance(2 * A_MOMENT_S)
    return "not over in time" if pause_left_s(tries, now_ns=bench.clock.monotonic_ns()) else None


def heartbeat(bench: Bench) -> str | None:
    """A process that is silent."""
    Heartbeat(bench.folder, "worker", bench.clock).beat("working")

    def silent() -> bool:
        beat = read_beat(bench.folder, "worker", bench.clock)
        return beat is not None and beat.age_s > WAIT_S

    return bench.wait(silent)


def worklist_age(bench: Bench) -> str | None:
    """The last good answer of the worklist."""
    expected = Expected(bench.database)
    expected.replace((), unread=0, whole=True)

    def old() -> bool:
        standing = expected.standing()
        return standing is not None and standing.age_min is not None and standing.age_min * 60 > WAIT_S

    return bench.wait(old)


def order_kept(bench: Bench) -> str | None:
    """A step that is listed no more: its late images still find their order, for days."""
    expected = Expected(bench.database)
    expected.replace((_step(),), unread=0, whole=True)
    bench.jump()
    for _ in range(2):  # the answer after the jump, and one more
        bench.clock.advance(A_MOMENT_S)
        expected.replace((), unread=0, whole=True)
    if not expected.knows_patient("P1"):
        return "forgotten when the clock was set"
    for _ in range(KEPT_AFTER.days + 1):
        bench.clock.advance(DAY_S)
        expected.replace((), unread=0, whole=True)
    return "kept for ever" if expected.knows_patient("P1") else None


def report_kept(bench: Bench) -> str | None:
    """What a modality reported: it decides whether a series is complete."""
    performed = PerformedSteps(bench.database)
    performed.keep(_performed("2.25.1"))
    bench.jump()
    for _ in range(2):
        bench.clock.advance(A_MOMENT_S)
        performed.keep(_performed("2.25.2"))
    if performed.find("2.25.1") is None:
        return "forgotten when the clock was set"
    for _ in range(KEPT.days + 1):
        bench.clock.advance(DAY_S)
        performed.keep(_performed("2.25.2"))
    return None if performed.find("2.25.1") is None else "kept for ever"


def order(bench: Bench) -> str | None:
    """Exams and decisions stand in the order in which they came."""
    place = bench.place()
    ids = []
    for number in range(2):
        (outcome,) = place.take(tiny_radiograph(number))
        assert outcome.acquisition_id is not None
        ids.append(outcome.acquisition_id)
        Decisions(bench.database).decide(ids[-1], version=1, choice=Choice.KEEP, reason=None)
        bench.clock.advance(A_MOMENT_S)
        bench.jump()
    shown = [entry.acquisition_id for entry in place.board.entries()]
    begin = datetime.min.replace(tzinfo=timezone.utc)
    decided = [decision.acquisition_id for decision in Decisions(bench.database).since(begin)]
    if shown != ids[::-1]:
        return "exams in another order"
    return None if decided == ids else "decisions in another order"


WAITS: Final[dict[str, Callable[[Bench], str | None]]] = {
    wait.__name__: wait
    for wait in (
        partial_file,
        lease,
        engine,
        receiver_away,
        cooldown,
        wrong_pins,
        heartbeat,
        worklist_age,
        order_kept,
        report_kept,
        order,
    )
}


def _step() -> ExpectedStep:
    return ExpectedStep(
        study_instance_uid="2.25.9",
        accession_number="A1",
        patient_id="P1",
        patient_name=None,
        patient_birth_date=None,
        patient_sex=None,
        requested_procedure_id=None,
        requested_procedure_description=None,
        scheduled_procedure_step_id=None,
        scheduled_procedure_step_description=None,
        protocol_code=None,
        modality="DX",
        scheduled_station_ae_title=None,
        scheduled_station_name=None,
        scheduled_at=None,
        body_part=None,
        laterality=None,
        views=(),
        view_count=None,
        views_sure=False,
    )


def _performed(name: str) -> PerformedStep:
    return PerformedStep(
        sop_instance_uid=name,
        status=StepStatus.COMPLETED,
        study_instance_uids=(),
        accession_numbers=(),
        images=(),
    )


@contextmanager
def bench_in(folder: Path, jump: Jump) -> Iterator[Bench]:
    """A bench on a new store."""
    clock, layout = ManualClock(start_utc=datetime(2026, 6, 1, 12, tzinfo=timezone.utc)), Layout(data=folder)
    layout.create()
    with Database.open(layout.database, data=folder, clock=clock) as database:
        yield Bench(folder, jump, database, clock)
