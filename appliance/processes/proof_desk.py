# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The worker's part in the test exam: its lanes, with the models that answer for patients."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Final

import structlog
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.domain.job import Job
from appliance.errors import InputError, ScansideError, StoreError
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.pipeline.bench import Bench
from appliance.pipeline.line import run_lane
from appliance.pipeline.report import fault_words
from appliance.processes.proof_store import ProofStore
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.landing import Landings
from appliance.store.results import Results

NAME: Final = "worker"
LOOK_INTERVAL_S: Final = 0.2
PATIENCE_S: Final = 10.0
"""While patients' images wait, the test exam waits; after this its next lane goes between two of theirs."""


class ProofDesk:
    """Takes lanes of the test exam out of its own queue. A context manager; one thread."""

    def __init__(self, settings: Settings, layout: Layout, clock: Clock, models: Registry) -> None:
        self._lease_s = settings.worker.lease_s
        self._clock = clock
        self._models = models
        self._store = ProofStore(layout, clock, opened=self._build)
        self._looked_ns = 0
        self._waiting_since_ns: int | None = None
        self._log = structlog.get_logger()

    def _build(self, database: Database) -> None:
        self._jobs = Jobs(database, max_attempts=1)  # a second try would hide what the first one found
        self._landings = Landings(database)
        self._results = Results(database)
        self._jobs.take_back(worker=NAME)

    def waits(self) -> bool:
        """Whether a lane waits. Asks its queue every LOOK_INTERVAL_S at most."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._looked_ns >= LOOK_INTERVAL_S * NS_PER_S:
            self._looked_ns = now_ns
            if not self._has_job():
                self._waiting_since_ns = None
            elif self._waiting_since_ns is None:
                self._waiting_since_ns = now_ns
        return self._waiting_since_ns is not None

    def waits_long(self) -> bool:
        """Whether one has waited longer than PATIENCE_S."""
        since_ns = self._waiting_since_ns if self.waits() else None
        return since_ns is not None and self._clock.monotonic_ns() - since_ns >= PATIENCE_S * NS_PER_S

    def work_off(self, jail: Jail) -> bool:
        """Every lane that waits. False: none did. Never raises what would stop the worker."""
        worked = False
        try:
            while self._store.ready() and (job := self._jobs.lease(worker=NAME, lease_s=self._lease_s)):
                worked = True
                self._do(job, jail)
        except (StoreError, OSError) as error:
            self._store.trouble(error)
        self._looked_ns, self._waiting_since_ns = self._clock.monotonic_ns(), None
        return worked

    def _has_job(self) -> bool:
        try:
            return self._store.ready() and self._jobs.waiting() > 0
        except StoreError as error:
            self._store.trouble(error)
            return False

    def _do(self, job: Job, jail: Jail) -> None:
        """One lane, as the worker does it for anybody. Raises StoreError or OSError."""
        started_ns = self._clock.monotonic_ns()
        try:
            acquisition = self._landings.acquisition(job.acquisition_id)
            if acquisition is None:
                return  # its monitor has given it up meanwhile
            bench = Bench(
                models=self._models, clock=self._clock, layout=self._store.layout, between=lambda: None
            )
            result = run_lane(job.lane, acquisition, open_frames(acquisition, jail), bench)
            arrival = self._landings.arrival_timings(job.acquisition_id, leased_ns=started_ns)
            self._results.commit(job, replace(result, timings=(*arrival, *result.timings)))
        except StoreError:
            raise
        except InputError as error:
            self._jobs.quarantine(job, reason=error.what)
        except ScansideError as error:
            self._jobs.fail(job, reason=error.what)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  a test exam that stumbles has failed; the work goes on
            self._log.error("the test exam stumbled", exc_info=error)
            self._jobs.fail(job, reason=fault_words(error))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()
