# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The worker proves itself: an image with a planted fault, and every model's own known question.

The image goes through the real path, from the file to the answers of its lanes; what comes out is compared
with what must come out, and the outcome is written under `run/`. The image lies in a folder of its own with
its own views. It never enters the store: no list shows it, nothing is sent. What a model suspects in a
drawing proves nothing, so the triage lane must only answer; its numbers are asked with the golden data.

This proof says at once what is wrong with the worker. That the other processes do their part is proven by the
test exam (`proof_path`), whose lanes the worker does here, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from appliance.clock import NS_PER_MS, Clock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Urgency
from appliance.domain.job import Lane
from appliance.domain.quality import Verdict
from appliance.domain.result import LaneResult
from appliance.durable import PART_SUFFIX
from appliance.errors import EngineLostError, InputError, ScansideError
from appliance.intake.assembly import all_given, arrive
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.monitor.proof import Moment, ProofFile, Schedule, moment, read_proof_file, write_proof
from appliance.pipeline.bench import Bench
from appliance.pipeline.line import run_lane
from appliance.pipeline.report import fault_words
from appliance.processes.proof_desk import ProofDesk
from appliance.selftest.phantom_exposure import ExposurePlan
from appliance.selftest.phantom_radiograph import Identity, write_chest

S_PER_MIN: Final = 60.0
MS_PER_S: Final = 1000.0
SLOW_MS: Final = 10_000.0
"""A proof that fails after this long has met something that hangs: once is enough for now."""
TEST_IMAGE: Final = "cut-off-chest.dcm"
PHANTOM_ROWS: Final = 480
PHANTOM_COLUMNS: Final = 400
"""Coarse: a proof must not keep a patient's image waiting."""
CUT_OFF: Final = ExposurePlan(shift_mm=(140.0, 0.0), collimation_mm=(12.0, 12.0, 12.0, 12.0))
"""Both lung bases lie outside the open field, by 48 and 59 mm."""
PLANTED: Final = "field_of_view"
"""The criterion that must find it."""


class Proving:
    """Makes the proofs of one worker. One thread."""

    def __init__(self, settings: Settings, layout: Layout, clock: Clock, models: Registry) -> None:
        self._clock = clock
        self._models = models
        self._run = layout.run
        self._own = Layout(data=layout.selftest)
        self._schedule = Schedule(interval_s=settings.worker.proof_interval_min * S_PER_MIN)
        self._log = structlog.get_logger()
        self._started_ns = clock.monotonic_ns()
        self._last_ns: int | None = None
        self._passed = True
        self._suspected = False
        self._took_s = 0.0
        self._desk = ProofDesk(settings, layout, clock, models)
        self.lost: EngineLostError | None = None
        """The device was lost while it was asked; None: it was not."""
        before = read_proof_file(self._run)
        self._last_passed: Moment | None = None if before is None else before.last_passed

    def suspect(self) -> None:
        """Work has failed in an engine: prove soon, whatever the time."""
        self._suspected = True

    def is_due(self) -> bool:
        """For a worker that has nothing else to do."""
        if (self._suspected and self._passed) or self._desk.waits():
            return True
        now_ns = self._clock.monotonic_ns()
        return self._schedule.is_due(
            last_ns=self._last_ns, passed=self._passed, took_s=self._took_s, now_ns=now_ns
        )

    def is_overdue(self) -> bool:
        """For a worker between two jobs."""
        if (self._suspected and self._passed) or self._desk.waits_long():
            return True
        last_ns = self._started_ns if self._last_ns is None else self._last_ns
        now_ns = self._clock.monotonic_ns()
        return self._schedule.is_overdue(
            last_ns=last_ns, passed=self._passed, took_s=self._took_s, now_ns=now_ns
        )

    def step(self, jail: Jail) -> None:
        """What is due: the lanes of the test exam that goes the whole way, else the worker's own proof."""
        if not self._desk.work_off(jail):
            self.prove(jail)

    def prove(self, jail: Jail) -> ProofFile:
        """Make one, a second one at once when the first fails (unless slowly), and write it down."""
        wrong_image, wrong_models, took_ms = self._try(jail)
        if (wrong_image or wrong_models) and took_ms < SLOW_MS:
            wrong_image, wrong_models, took_ms = self._try(jail)
        failures = (*wrong_image, *wrong_models)
        self._took_s = took_ms / MS_PER_S
        made = moment(self._clock)
        if failures and self._passed:
            self._log.error("proof failed", failures=failures)
        elif not failures and not self._passed:
            self._log.info("proof passed again")
        self._last_ns, self._passed, self._suspected = made.at_ns, not failures, False
        if not failures:
            self._last_passed = made
        proof = ProofFile(
            made=made,
            took_ms=took_ms,
            passed=not failures,
            failures=failures,
            image_passed=not wrong_image,
            last_passed=self._last_passed,
            interval_s=self._schedule.interval_s,
        )
        try:
            write_proof(self._run, proof)
        except OSError as error:  # the old file grows old, and the screen says so
            self._log.error("proof not written", reason=error.strerror)
        return proof

    def close(self) -> None:
        """Give the test exam's store back."""
        self._desk.__exit__(None, None, None)

    def _try(self, jail: Jail) -> tuple[tuple[str, ...], tuple[str, ...], float]:
        """What came out wrong with the image and with the models, in words, and how long it took."""
        started_ns = self._clock.monotonic_ns()
        wrong_image, wrong_models = self._image(jail), self._answers(jail)
        return wrong_image, wrong_models, (self._clock.monotonic_ns() - started_ns) / NS_PER_MS

    def _image(self, jail: Jail) -> tuple[str, ...]:
        """The planted fault, from the file to quality control's answer."""

        def find_it() -> None:
            answer = self._lane(Lane.QUALITY, jail)
            found = [check.verdict for check in answer.quality if check.criterion == PLANTED]
            if found != [Verdict.REPEAT]:
                said = ", ".join(verdict.value for verdict in found) or "nothing"
                raise InputError(
                    f"The planted fault of the test image was not found: {PLANTED} says {said}.", remedy=""
                )

        return self._words_of(find_it)

    def _answers(self, jail: Jail) -> tuple[str, ...]:
        """The AI's lane answers on the image, and every model its own known question."""
        failures = list(self._words_of(lambda: self._lane(Lane.TRIAGE, jail)))
        for task in self._models.tasks():
            self._models.try_unserved(task)
            words = self._words_of(lambda task=task: self._models.ask_known(task))  # type: ignore[misc]
            failures += [f"{task}: {why}" for why in words]
        return tuple(failures)

    def _words_of(self, step: Callable[[], object]) -> tuple[str, ...]:
        """Why a step of the proof failed; empty when it did not."""
        try:
            step()
        except ScansideError as error:
            if isinstance(error, EngineLostError):
                self.lost = error
            return (error.what,)
        except OSError as error:
            return (f"The test image cannot be written: {error.strerror or type(error).__name__}.",)
        except Exception as error:  # noqa: BLE001  a proof that cannot be made has failed; the work goes on
            self._log.error("proof stumbled", exc_info=error)
            return (fault_words(error),)
        return ()

    def _lane(self, lane: Lane, jail: Jail) -> LaneResult:
        acquisition = self._acquisition(jail)
        bench = Bench(models=self._models, clock=self._clock, layout=self._own, between=lambda: None)
        return run_lane(lane, acquisition, open_frames(acquisition, jail), bench)

    def _acquisition(self, jail: Jail) -> Acquisition:
        """The drawn image, looked into like any that arrives."""
        file = self._own.data / TEST_IMAGE
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_name(file.name + PART_SUFFIX)
            person = Identity(seed=7, patient_name="PROOF^OF^LIFE", patient_id="PROOF")
            write_chest(part, CUT_OFF, identity=person, rows=PHANTOM_ROWS, columns=PHANTOM_COLUMNS)
            part.replace(file)
        description = jail.describe(file)
        if description.instance is None:
            raise InputError(f"The test image cannot be read: {description.state.value}.", remedy="")
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        instance = replace(description.instance, sha256=sha256)
        acquisition = arrive(instance, urgency=Urgency.LIVE, siblings=())[0].acquisition
        return all_given(acquisition, siblings=(acquisition,))
