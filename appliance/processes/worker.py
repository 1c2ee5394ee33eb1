# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The worker: leases jobs in order of need, runs their lane, commits. Owns the engines and the jails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Event
from types import TracebackType
from typing import Final

import structlog
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.image import FrameSource
from appliance.domain.job import Job, Lane
from appliance.errors import EngineError, EngineLostError, InputError, StoreError
from appliance.intake.frames import HalvedFrame, JailedFrames, NotHalvedError
from appliance.intake.jail import TERMS, Jail
from appliance.layout import Layout
from appliance.models.candidate import GPU_ENGINES
from appliance.models.releases import Releases
from appliance.models.served import Surroundings
from appliance.monitor.boots import BootCounter, Level
from appliance.monitor.heartbeat import Heartbeat
from appliance.pipeline.bench import Bench
from appliance.pipeline.first_verdict import halvings_for_triage
from appliance.pipeline.line import run_lane
from appliance.pipeline.report import fault_words
from appliance.processes.at_hand import AtHand
from appliance.processes.between import Between, LeaseLostError, ToldToStopError
from appliance.processes.lock import only_one
from appliance.processes.lost_engines import LostEngines
from appliance.processes.models import open_registry, slot_folder
from appliance.processes.operating_points import OperatingPoints
from appliance.processes.orders import StoredOrders
from appliance.processes.proving import Proving
from appliance.processes.shadows import ShadowWork
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.landing import Landings
from appliance.store.results import Results

NAME: Final = "worker"
TAKE_BACK_INTERVAL_S: Final = 5.0
"""How often ended leases are looked for, and engines that have come back."""
SLOT_LOOK_INTERVAL_S: Final = 1.0
"""A person who activates a model waits no longer than this, and the disk is asked no more often."""
LOADING_BUDGET_S: Final = 120.0
"""To load or compile a model, or to prove one on an engine, without a sign of life in between."""
NO_GPU: Final = dict.fromkeys(GPU_ENGINES, "the device did not stay up several times: it runs without it")
IDLE_BUDGET_S: Final = 15.0
"""Between two looks for work: milliseconds, or a wait for the store of BUSY_TIMEOUT_MS."""


class Worker:
    """One worker on one store. A context manager: it owns the engines and the jails."""

    def __init__(
        self, *, settings: Settings, layout: Layout, clock: Clock, database: Database, stop: Event
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._clock = clock
        self._layout = layout
        self._log = structlog.get_logger()
        without_ai = BootCounter(layout.boots).read().level > Level.NORMAL
        lanes = (Lane.QUALITY,) if without_ai else tuple(Lane)
        self._jobs = Jobs(database, max_attempts=settings.worker.max_attempts, lanes=lanes)
        self._landings = Landings(database)
        self._results = Results(database)
        self._beat = Heartbeat(layout.run, NAME, clock)
        self._told = 0
        self._owned = ExitStack()
        self._lost_engines = LostEngines(layout.run, clock)
        self._lost: EngineLostError | None = None
        self._step_budget_s = settings.worker.step_budget_s + TERMS * settings.reading.decode_timeout_s
        self._points = OperatingPoints(database)
        self._models = self._owned.enter_context(
            open_registry(
                settings,
                layout.engine_cache,
                surroundings=Surroundings(
                    slots=slot_folder(settings, layout),
                    releases=Releases(layout.releases),
                    mends_slots=True,
                    alive=lambda: self._beat.beat("testing an engine", budget_s=LOADING_BUDGET_S),
                    at_change=self._points.follow,
                    given_up=self._lost_engines.given_up() | (NO_GPU if without_ai else {}),
                ),
            )
        )
        self._say_problems()
        self._cold = list(self._models.tasks())
        self._orders = StoredOrders(settings.worklist, database, clock)
        self._shadows = ShadowWork(self._models, database, clock)
        self._proofs = Proving(settings, layout, clock, self._models)
        self._owned.callback(self._proofs.close)
        self._slots_looked_ns = clock.monotonic_ns()
        self._jails = [self._new_jail()]
        self._depth = 0
        self._at_hand = AtHand(self._landings)

    def run(self) -> None:
        """Work until `stop` is set.

        Raises StoreError: better no answer than one that is not kept. EngineLostError, between two jobs: the
        GPU is of no use to this process any more, and only to a new one it may be.
        """
        self._jobs.take_back(worker=NAME)
        looked_ns = self._clock.monotonic_ns()
        while not self._stop.is_set():
            self._end_if_lost()
            self.follow_slots()
            if self._proofs.is_overdue():
                self.prove()
            job = self._jobs.lease(worker=NAME, lease_s=self._settings.worker.lease_s)
            if job is not None:
                self.do(job)
                continue
            self._beat.beat("waiting", budget_s=IDLE_BUDGET_S)
            self._at_hand.put_away()  # idle: give the pixels back
            if self._cold:
                self._warm_up(self._cold.pop())
                continue
            if self._proofs.is_due():
                self.prove()
            elif self._look_as_a_shadow():
                continue
            now_ns = self._clock.monotonic_ns()
            if now_ns - looked_ns > TAKE_BACK_INTERVAL_S * NS_PER_S:
                looked_ns = now_ns
                self._jobs.take_back()
                self._models.try_again()
            self._stop.wait(self._settings.worker.idle_poll_s)

    def do(self, job: Job) -> None:
        """One job to its end: a result, a reason, or back to the queue."""
        with self._ending(job):
            self.show_life(job)
            with self._jail() as jail:
                self._answer(job, jail)

    @contextmanager
    def _ending(self, job: Job) -> Iterator[None]:
        """Whatever a job ends with, it ends here."""
        log = self._log.bind(acquisition=job.acquisition_id, version=job.version, lane=job.lane.value)
        try:
            yield
        except LeaseLostError:
            log.info("lease lost while working")
        except ToldToStopError:
            log.info("stopped in the middle, goes on at the next start")
            self._jobs.give_back(job)
        except NotHalvedError:
            self._jobs.give_back(job)
        except InputError as error:
            log.warning("quarantined", reason=error.what)
            self._jobs.quarantine(job, reason=str(error))
        except StoreError:
            raise
        except OSError as error:  # views and derived images are written here: the disk, not the image
            self._jobs.give_back(job)
            raise StoreError(
                f"Cannot write below {self._layout.data}: {error.strerror or type(error).__name__}.",
                remedy="Check that its disk is mounted, writable and not full; work resumes by itself.",
            ) from error
        except EngineError as error:
            log.error("engine failed", reason=error.what)
            self._proofs.suspect()
            self._jobs.fail(job, reason=str(error))
            self._lose(error)
        except Exception as error:  # this process's one catch-all: the job is set aside, others flow
            log.error("job failed", exc_info=error)
            self._jobs.fail(job, reason=fault_words(error))

    def _lose(self, error: EngineError) -> None:
        """A lost device ends this process, once the work at hand is back in the queue or done."""
        if isinstance(error, EngineLostError):
            self._lost = error

    def _end_if_lost(self) -> None:
        if self._lost is not None:
            self._lost_engines.note(self._lost)
            raise self._lost

    def _warm_up(self, task: str) -> None:
        """Prove and load a model while nobody waits for it."""
        self._beat.beat(f"loading the model for {task}", budget_s=LOADING_BUDGET_S)
        try:
            self._models.served(task)
        except EngineError as error:
            self._log.error("no engine for a model", task=task, reason=str(error))
            self._lose(error)

    def prove(self) -> None:
        """Answer what is known, and write down whether it came out right."""
        self._beat.beat("testing itself", budget_s=LOADING_BUDGET_S)
        self._at_hand.put_away()  # the jail reads the test image now
        with self._jail() as jail:
            self._proofs.step(jail)
        self._lost = self._lost or self._proofs.lost

    def follow_slots(self) -> None:
        """Between two jobs: load what somebody activated meanwhile. A look is one `stat` per task."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._slots_looked_ns >= SLOT_LOOK_INTERVAL_S * NS_PER_S:
            self._slots_looked_ns = now_ns
            self._models.refresh()
            self._say_problems()

    def _look_as_a_shadow(self) -> bool:
        """In spare time. False: there was nothing to look at."""
        log = self._log
        try:
            with self._jail() as jail:
                return self._shadows.do_one(jail)
        except (StoreError, OSError):
            raise
        except Exception as error:  # a model on trial costs no answer that counts: that image is passed over
            log.error("a model in the shadow failed", exc_info=error)
            return True

    def _say_problems(self) -> None:
        for problem in self._models.problems[self._told :]:
            self._log.error("model problem", what=problem.what, remedy=problem.remedy)
        self._told = len(self._models.problems)

    def show_life(self, job: Job) -> None:
        """Beat from within a long job. Raises ToldToStopError when it should not go on."""
        self._beat.beat(f"working: {job.lane.value}", budget_s=self._step_budget_s)
        if self._stop.is_set():
            raise ToldToStopError

    def _answer(self, job: Job, jail: Jail) -> None:
        acquisition, frames = self._at_hand.open(job, jail, keep=self._depth == 1)
        if job.lane is Lane.QUALITY and self._settings.worker.halved_triage != "off":
            self._triage_first(job, acquisition, frames)
        self._commit(job, acquisition, frames)

    def _triage_first(self, job: Job, acquisition: Acquisition, frames: JailedFrames) -> None:
        """From a small decode that takes a fraction of the whole one, which goes on meanwhile.

        Only where triage of this acquisition is next in the queue: nobody's quality control waits for it.
        """
        slow_too = self._settings.worker.halved_triage == "all"
        halvings = halvings_for_triage(acquisition, self._models, jpeg_2000=slow_too)
        if halvings == 0:
            return
        lease_s, only = self._settings.worker.lease_s, (job.acquisition_id, job.version, Lane.TRIAGE)
        triage = self._jobs.lease(worker=NAME, lease_s=lease_s, only=only)
        if triage is not None:
            with self._ending(triage):
                self.show_life(triage)
                self._commit(triage, acquisition, HalvedFrame(frames, halvings))

    def _commit(self, job: Job, acquisition: Acquisition, frames: FrameSource) -> None:
        started_ns = self._clock.monotonic_ns()
        bench = Bench(
            models=self._models,
            clock=self._clock,
            layout=self._layout,
            between=Between(
                self,
                name=NAME,
                jobs=self._jobs,
                job=job,
                clock=self._clock,
                lease_s=self._settings.worker.lease_s,
            ),
            orders=self._orders,
            thresholds=self._points.of,
        )
        result = run_lane(job.lane, acquisition, frames, bench)
        arrival = self._landings.arrival_timings(job.acquisition_id, leased_ns=started_ns)
        if not self._results.commit(job, replace(result, timings=(*arrival, *result.timings))):
            raise LeaseLostError

    def _new_jail(self) -> Jail:
        """Its process starts at once and loads while we go on."""
        return self._owned.enter_context(Jail(self._settings.reading, self._clock))

    @contextmanager
    def _jail(self) -> Iterator[Jail]:
        """A jail for this depth of work: an interrupted series keeps its own, with what it reads ahead."""
        if self._depth == len(self._jails):
            self._jails.append(self._new_jail())
        self._depth += 1
        try:
            yield self._jails[self._depth - 1]
        finally:
            self._depth -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owned.close()


def run_worker(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        Worker(settings=settings, layout=layout, clock=clock, database=database, stop=stop) as worker,
    ):
        worker.run()
