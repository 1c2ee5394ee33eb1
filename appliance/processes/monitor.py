# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The monitor: counts, serves the metrics, sends the test exam, looks for drift, sums up the shadows' nights.

A process of its own, so that none of it can keep an image waiting, and so that somebody is left to say that
another process does not do its part. It runs at low priority. A duty that fails is tried again; the others go
on.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.configuration.last_good import keep_as_good
from appliance.errors import ScansideError
from appliance.fleet.beat import BeatTimer, beat_into
from appliance.layout import Layout
from appliance.monitor.boots import GOOD_AFTER_S
from appliance.monitor.counting import count_on
from appliance.monitor.drift_watch import report_on, scanner_due, take_exams
from appliance.monitor.heartbeat import Heartbeat, read_beat
from appliance.monitor.metrics import DeviceMetrics
from appliance.monitor.proof_log import ProofLog
from appliance.monitor.shadow_nights import count_nights
from appliance.processes.lock import only_one
from appliance.processes.proof_path import PathProof
from appliance.processes.table import PROCESSES, ProcessRow
from appliance.store.connection import Database
from appliance.store.drift import DriftStore
from appliance.store.shadows import Shadows
from appliance.store.tallies import Tallies

NAME: Final = "monitor"
PROCESS_NAMES: Final = tuple(row.name for row in PROCESSES)
REST_S: Final = 0.5
REST_UNDER_WAY_S: Final = 0.1
"""While a test exam is under way: its time is measured."""
AT_ONCE: Final = 200
"""Rows that are counted before the next duty."""
RARELY_S: Final = 30.0
"""How often it is asked whether drift or a night is due, and a port that was taken is tried again."""
SETTLED_S: Final = 120.0
"""A worker may take this long to load and prove its models."""
NICENESS: Final = 10
"""Of setpriority(2): patients' images are computed first."""


class Monitor:
    """Its duties, one after the other. A context manager."""

    def __init__(self, *, settings: Settings, layout: Layout, clock: Clock, database: Database) -> None:
        self._settings = settings
        self._layout = layout
        self._clock = clock
        self._log = structlog.get_logger()
        self._beat = Heartbeat(layout.run, NAME, clock)
        self._tallies = Tallies(database)
        self._drift = DriftStore(database)
        self._shadows = Shadows(database)
        self._path = PathProof(settings, layout, clock, patients=database)
        self._server: tuple[WSGIServer, Thread] | None = None
        self._rarely_ns: int | None = None
        self._since_ns = clock.monotonic_ns()
        self._proofs = ProofLog(layout)
        self._fleet = BeatTimer(settings.fleet.interval_min)
        self._troubles: dict[str, str] = {}

    def run(self, stop: Event) -> None:
        """Work until told to stop."""
        while not stop.is_set():
            worked = self.step()
            self._beat.beat("; ".join(self._troubles.values()) or "waiting")
            if not worked:
                stop.wait(REST_UNDER_WAY_S if self._path.under_way else REST_S)

    def step(self) -> bool:
        """Every duty once. False: nothing was left to count."""
        self._do("test exam", self._path.step)
        worked = self._do("counting", self._count)
        now_ns = self._clock.monotonic_ns()
        if self._rarely_ns is None or now_ns - self._rarely_ns >= RARELY_S * NS_PER_S:
            self._rarely_ns = now_ns
            self._do("metrics", self._serve)
            self._do("shadows", self._count_nights)
            self._do("settings", self._keep_settings)
            self._do("fleet", self._tell_the_fleet)
            self._do("log of the tests", self._proofs.note)
            if self._settings.drift.enabled and not self._path.under_way:
                self._do("drift", self._look_for_drift)
        return worked

    def _count(self) -> bool:
        worked = count_on(self._tallies, at_once=AT_ONCE) == AT_ONCE
        if self._settings.drift.enabled:
            worked |= take_exams(self._drift, self._layout, at_once=AT_ONCE) == AT_ONCE
        return worked

    def _count_nights(self) -> None:
        for night in count_nights(self._shadows, self._clock):
            self._log.info(
                "a night of a shadow",
                task=night.task,
                model=night.shadow_model,
                images=night.images,
                different=night.different,
            )

    def _keep_settings(self) -> None:
        """All stayed up long enough: what they run with is good, and serves when an edit is not."""
        lived_s = (self._clock.monotonic_ns() - self._since_ns) / NS_PER_S
        if lived_s < GOOD_AFTER_S or not all(self._is_alive(row) for row in PROCESSES if row.name != NAME):
            return
        if keep_as_good(self._layout):
            self._log.info("settings kept as good")

    def _tell_the_fleet(self) -> None:
        """First when this process has seen the others for a while: a start is no trouble."""
        now_ns = self._clock.monotonic_ns()
        folder = self._settings.fleet.folder
        if folder and now_ns - self._since_ns >= SETTLED_S * NS_PER_S and self._fleet.is_due(now_ns):
            beat_into(Path(folder), self._settings, self._layout, self._clock)
            self._fleet.made(now_ns)

    def _is_alive(self, row: ProcessRow) -> bool:
        beat = read_beat(self._layout.run, row.name, self._clock)
        return beat is not None and beat.age_s < row.silent_limit_s

    def _look_for_drift(self) -> None:
        """One scanner at a time: it takes a second or two."""
        scanner = scanner_due(self._drift, self._settings.drift)
        if scanner is not None:
            self._beat.beat("comparing a scanner with its baseline")
            report = report_on(self._drift, scanner, self._settings.drift, self._clock)
            self._log.info("drift", scanner=scanner, state=report.state.value)

    def _serve(self) -> None:
        metrics = self._settings.metrics
        if not metrics.enabled or self._server is not None:
            return
        registry = CollectorRegistry(auto_describe=False)
        registry.register(
            DeviceMetrics(
                layout=self._layout,
                clock=self._clock,
                processes=PROCESS_NAMES,
                version=importlib.metadata.version("scanside"),
            )
        )
        self._server = start_http_server(metrics.port, metrics.host, registry)
        self._log.info("metrics served", host=metrics.host, port=metrics.port)

    def _do(self, duty: str, work: Callable[[], bool | None]) -> bool:
        """One duty; what is in its way is said when it starts, and the others go on."""
        try:
            worked = work()
        except ScansideError as error:
            self._trouble(duty, error.what)
        except OSError as error:
            self._trouble(duty, error.strerror or type(error).__name__)
        except Exception as error:  # noqa: BLE001  this process's one catch-all: the other duties go on
            if duty not in self._troubles:
                self._log.error("a duty failed", duty=duty, exc_info=error)
            self._trouble(duty, type(error).__name__)
        else:
            self._troubles.pop(duty, None)
            return bool(worked)
        return False

    def _trouble(self, duty: str, words: str) -> None:
        if duty not in self._troubles:
            self._log.error("a duty is not done", duty=duty, reason=words)
        self._troubles[duty] = f"{duty}: {words}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
        self._path.close()


def run_monitor(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        Monitor(settings=settings, layout=layout, clock=clock, database=database) as monitor,
    ):
        if os.getpriority(os.PRIO_PROCESS, 0) < NICENESS:  # a unit has done so, and forbids the call
            os.nice(NICENESS)
        monitor.run(stop)
