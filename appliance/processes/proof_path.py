# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The test exam goes the whole way: door, spool, store, worker, result, objects, receiver; and is judged.

The known image (drawn by the worker's own proof) gets a new name each time and is dropped into the exam's own
inbox. The watcher takes it in, the worker answers its lanes, the sender renders them and puts them on a
shelf, each with the code and in the loop that serve patients, and all of it in a store apart (`proof_store`).
When it does not come back, or not as it must, the screen says AI OFF: it reads the file that is written here.

Patients go first: while their work waits the exam's time does not run, up to LONGEST_S.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import Final

import structlog
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import generate_uid

from appliance.clock import NS_PER_MS, NS_PER_S, Clock
from appliance.config import Settings
from appliance.domain.job import JobState, Lane
from appliance.domain.quality import Verdict
from appliance.durable import PART_SUFFIX
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.proof import (
    PATH,
    WORKER,
    Moment,
    ProofFile,
    Schedule,
    moment,
    read_proof_file,
    read_proof_of,
    take_wish,
    write_proof,
)
from appliance.processes.proof_shelf import SHELF
from appliance.processes.proof_store import ProofStore
from appliance.processes.proving import PLANTED, S_PER_MIN, TEST_IMAGE
from appliance.store.board import Board, LaneEntry
from appliance.store.connection import Database
from appliance.store.landing import FileStatus, Landings
from appliance.store.waiting import Waiting

LIMIT_S: Final = 20.0
"""Of time in which nothing else was to be done. With looks every half second AI OFF is on the screen well
within the promised 30 s after the exam was dropped."""
LONGEST_S: Final = 180.0
"""Whatever else is to be done: longer than the worker may be silent (processes/table.py)."""
FRESH_S: Final = 5.0
"""A process whose beat is older does not work on anything."""
SILENT_LIMIT_S: Final = 120.0
"""A worker that says that it works may do so for this long without another sign."""
_FINAL: Final = frozenset((JobState.DONE, JobState.FAILED, JobState.QUARANTINED, JobState.SUPERSEDED))
_STRUCTURED_REPORT: Final = "SR"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """The exam that is on its way."""

    sop_instance_uid: str
    sha256: str
    dropped_ns: int


class PathProof:
    """Sends test exams and judges them. A context manager; one thread."""

    def __init__(self, settings: Settings, layout: Layout, clock: Clock, *, patients: Database) -> None:
        self._clock = clock
        self._run = layout.run
        self._image = layout.selftest / TEST_IMAGE
        self._patients = Waiting(patients)
        self._store = ProofStore(layout, clock, opened=self._build)
        self._schedule = Schedule(interval_s=settings.worker.proof_interval_min * S_PER_MIN)
        self._log = structlog.get_logger()
        self._started_ns = clock.monotonic_ns()
        self._sent: _Sent | None = None
        self._looked_ns = 0
        self._idle_s = 0.0
        self._last_ns: int | None = None
        self._passed = True
        before = read_proof_file(self._run, PATH)
        self._last_passed: Moment | None = None if before is None else before.last_passed

    def _build(self, database: Database) -> None:
        self._database = database
        self._landings = Landings(database)
        self._board = Board(database)
        self._waiting = Waiting(database)

    @property
    def under_way(self) -> bool:
        """Whether an exam has been dropped and not come back."""
        return self._sent is not None

    def step(self) -> None:
        """Drop an exam when it is time, or look after the one under way. Raises StoreError or OSError."""
        now_ns = self._clock.monotonic_ns()
        if self._sent is None:
            if self._is_time(now_ns):
                self._drop(now_ns)
            return
        if not self._busy():
            self._idle_s += (now_ns - self._looked_ns) / NS_PER_S
        self._looked_ns = now_ns
        wrong, stage = self._look(self._sent)
        took_s = (now_ns - self._sent.dropped_ns) / NS_PER_S
        if wrong is None and stage is None:
            self._judge(())
        elif wrong is not None:
            self._judge((wrong,), image_passed=PLANTED not in wrong)
        elif self._idle_s > LIMIT_S or took_s > LONGEST_S:
            self._judge((f"The test exam has not come back after {took_s:.0f} s: {stage}.",))

    def _is_time(self, now_ns: int) -> bool:
        if self._last_ns is not None:
            return take_wish(self._run) or self._schedule.is_due(
                last_ns=self._last_ns, passed=self._passed, took_s=0.0, now_ns=now_ns
            )
        proof = read_proof_of(self._run, WORKER, self._clock)
        if proof is not None and proof.made_ns is not None and self._image.exists():
            return True  # the worker has started and drawn the image
        return self._schedule.is_overdue(last_ns=self._started_ns, passed=True, took_s=0.0, now_ns=now_ns)

    def _drop(self, now_ns: int) -> None:
        """Into its inbox, under a name that has never been here."""
        self._looked_ns, self._idle_s = now_ns, 0.0
        if not self._store.ready():
            self._sent = _Sent(sop_instance_uid="", sha256="", dropped_ns=now_ns)
            self._judge(("The test exam has no store: the disk may be full or away.",))
            return
        self._clear()
        try:
            dataset = dcmread(self._image)
        except (OSError, InvalidDicomError):
            self._sent = _Sent(sop_instance_uid="", sha256="", dropped_ns=now_ns)
            self._judge(("The test image cannot be read: the worker has not drawn it.",))
            return
        uid = generate_uid(prefix=None)
        dataset.SOPInstanceUID = uid
        dataset.file_meta.MediaStorageSOPInstanceUID = uid
        part = self._store.layout.data / f"exam.dcm{PART_SUFFIX}"
        dataset.save_as(part, enforce_file_format=True)
        sha256 = hashlib.sha256(part.read_bytes()).hexdigest()
        dropped_ns = self._clock.monotonic_ns()
        part.replace(self._store.layout.inbox / "exam.dcm")
        self._sent = _Sent(sop_instance_uid=uid, sha256=sha256, dropped_ns=dropped_ns)
        self._looked_ns = dropped_ns

    def _clear(self) -> None:
        """The exam before this one goes; until then it lies there for whoever wants to look at it.

        Everything in that store goes, so it is made sure once more that it is not the patients'.
        """
        if not self._store.layout.data.is_relative_to(self._image.parent):
            raise StoreError(
                "The test exam's store is not its own.", remedy="Report it: nothing was changed."
            )
        with self._database.transaction() as write:
            for table in ("outbox", "result", "job", "acquisition", "file", "settled"):
                write(f"DELETE FROM {table}")  # noqa: S608  the names stand in the line above
        own = self._store.layout
        for folder in (own.inbox, own.spool, own.quarantine, own.results, own.views, own.data / SHELF):
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _busy(self) -> bool:
        """Whether a process has patients' work to do, or says that it is at work on something else."""
        try:
            if self._patients.renders() or any(
                lane.state in (JobState.QUEUED.value, JobState.LEASED.value)
                for lane in self._patients.lanes()
            ):
                return True
        except StoreError:
            return False
        for process, rest in (("watcher", FRESH_S), ("worker", SILENT_LIMIT_S)):
            beat = read_beat(self._run, process, self._clock)
            if beat is not None and beat.state.startswith(("working", "testing an", "loading", "looking")):
                return beat.age_s < rest
        return False

    def _look(self, sent: _Sent) -> tuple[str | None, str | None]:
        """What came out wrong, else which part of the way it is still on; (None, None): it is back."""
        if not self._store.ready():
            return None, "it has no store"
        try:
            return self._follow(sent)
        except StoreError as error:
            self._store.trouble(error)
            return None, error.what

    def _follow(self, sent: _Sent) -> tuple[str | None, str | None]:
        landing = self._landings.find(sent.sha256)
        if landing is None:
            return None, "the watcher has not taken it in"
        if landing.status is not FileStatus.ACCEPTED or landing.acquisition_id is None:
            return f"The test exam was not accepted: {landing.reason}", None
        entry = self._board.entry(landing.acquisition_id)
        lanes = entry.lanes if entry is not None else ()
        for lane in lanes:
            if (wrong := _wrong_with(lane)) is not None:
                return wrong, None
        if len(lanes) < len(Lane) or any(lane.state not in _FINAL for lane in lanes):
            return None, "the worker has not answered it"
        if self._waiting.renders() or self._waiting.receivers():
            return None, "the sender has not delivered it"
        return self._wrong_on_the_shelf(sent), None

    def _wrong_on_the_shelf(self, sent: _Sent) -> str | None:
        """The original and a report about this very image must have arrived."""
        original, reports = False, 0
        for path in sorted((self._store.layout.data / SHELF).glob("*")):
            try:
                dataset = dcmread(path, stop_before_pixels=True)
            except (OSError, InvalidDicomError):
                return "An object that was made of the test exam cannot be read."
            original |= dataset.SOPInstanceUID == sent.sop_instance_uid
            reports += dataset.Modality == _STRUCTURED_REPORT and sent.sop_instance_uid in _evidence(dataset)
        if not original:
            return "The original of the test exam did not arrive at its receiver."
        return None if reports else "The report of the test exam did not arrive at its receiver."

    def _judge(self, failures: tuple[str, ...], *, image_passed: bool = True) -> None:
        assert self._sent is not None  # it is judged that it was sent
        made = moment(self._clock)
        took_ms = (made.at_ns - self._sent.dropped_ns) / NS_PER_MS
        if failures and self._passed:
            self._log.error("test exam failed", failures=failures)
        elif not failures and not self._passed:
            self._log.info("test exam passed again")
        self._sent, self._last_ns, self._passed = None, made.at_ns, not failures
        if not failures:
            self._last_passed = made
        proof = ProofFile(
            made=made,
            took_ms=took_ms,
            passed=not failures,
            failures=failures,
            image_passed=image_passed,
            last_passed=self._last_passed,
            interval_s=self._schedule.interval_s,
        )
        write_proof(self._run, proof, PATH)

    def close(self) -> None:
        """Give its store back."""
        self._store.close()


def _wrong_with(lane: LaneEntry) -> str | None:
    """A lane that cannot pass any more."""
    if lane.state in (JobState.FAILED, JobState.QUARANTINED):
        return f"The {lane.lane.value} lane of the test exam failed: {lane.reason or 'no reason'}"
    if lane.lane is Lane.QUALITY and lane.result is not None:
        found = [check.verdict for check in lane.result.quality if check.criterion == PLANTED]
        if found != [Verdict.REPEAT]:
            said = ", ".join(verdict.value for verdict in found) or "nothing"
            return f"The planted fault of the test exam was not found: {PLANTED} says {said}."
    return None


def _evidence(report: Dataset) -> set[str]:
    """The images that a report is about (PS3.3 C.17.2)."""
    return {
        str(image.ReferencedSOPInstanceUID)
        for study in report.get("CurrentRequestedProcedureEvidenceSequence", ())
        for series in study.ReferencedSeriesSequence
        for image in series.ReferencedSOPSequence
    }
