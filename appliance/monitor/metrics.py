# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The device in numbers for Prometheus, worked out when somebody asks.

What grows with the store was counted before (`counting`); what is asked of the store here are its open rows.
No patient, no identifier of an image and nothing that a sender chose freely is a label, except the name of a
scanner, of which SCANNERS_SHOWN are shown at most.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from appliance.clock import Clock
from appliance.domain.drift import DriftState
from appliance.domain.job import Lane
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.monitor.counting import BUCKETS_S, ENDLESS, count_files, count_results, reason_class
from appliance.monitor.fault import read_fault
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.metric_table import ROWS
from appliance.monitor.power import read_battery
from appliance.monitor.proof import PROOFS, read_proof_of
from appliance.monitor.thermal import read_temperature
from appliance.store.connection import Database
from appliance.store.drift import DriftStore
from appliance.store.shadows import Shadows
from appliance.store.tallies import FILE, RESULT, Key, Tallies
from appliance.store.waiting import Waiting

SCANNERS_SHOWN: Final = 32
"""A department has some ten; a sender that invents names must not fill the memory of whoever scrapes."""
AT_ONCE: Final = 1000


class DeviceMetrics(Collector):
    """Collects at each question. Safe to ask from several threads: it keeps nothing but its counts."""

    def __init__(
        self,
        *,
        layout: Layout,
        clock: Clock,
        processes: Sequence[str],
        version: str,
        counts_the_rest: bool = False,
    ) -> None:
        """`counts_the_rest`: also count, in memory, what nobody has counted yet (no monitor runs)."""
        self._layout = layout
        self._clock = clock
        self._processes = tuple(processes)
        self._version = version
        self._counts_the_rest = counts_the_rest

    def collect(self) -> Iterator[Metric]:
        """Every family. The store's are left out while it cannot be read, and `store_readable` says so."""
        yield _family("scanside_build_info", [((self._version,), 1)])
        yield from self._machine()
        yield from self._signs()
        readable = True
        try:
            with Database.open_to_read(
                self._layout.database, data=self._layout.data, clock=self._clock
            ) as database:
                families = list(self._stored(database))
        except StoreError:
            families, readable = [], False
        yield _family("scanside_store_readable", [((), float(readable))])
        yield from families

    def _stored(self, database: Database) -> Iterator[Metric]:
        tallies = Tallies(database)
        counts = tallies.every()
        if self._counts_the_rest:
            _add_rest(counts, tallies)
        yield from _counters(counts)
        yield _stages(counts)
        yield from _waiting(Waiting(database))
        engines = tallies.engines().values()
        yield _family("scanside_model_info", (((use.task, use.model, use.engine), 1) for use in engines))
        yield _family(
            "scanside_fallback_in_force", (((use.task,), use.fallback_reason is not None) for use in engines)
        )
        yield from _drift(DriftStore(database))
        yield from _shadows(Shadows(database))

    def _machine(self) -> Iterator[Metric]:
        try:
            disk = shutil.disk_usage(self._layout.data)
            yield _family("scanside_disk_free_bytes", [((), disk.free)])
            yield _family("scanside_disk_size_bytes", [((), disk.total)])
        except OSError:
            pass  # a disk that is away has no size; the families are missing
        if (heat := read_temperature()) is not None:
            yield _family("scanside_temperature_celsius", [((heat.zone,), heat.celsius)])
            yield _family("scanside_temperature_limit_celsius", [((heat.zone,), heat.limit_c)])
            yield _family("scanside_too_hot", [((), heat.is_hot)])
        if (battery := read_battery()) is not None:
            yield _family("scanside_battery_fraction", [((), battery.fraction)])

    def _signs(self) -> Iterator[Metric]:
        """What the processes left under `run/`."""
        run = self._layout.run
        found = [read_beat(run, name, self._clock) for name in self._processes]
        beats = [beat for beat in found if beat is not None]
        yield _family(
            "scanside_heartbeat_age_seconds",
            (((beat.process,), beat.age_s) for beat in beats if beat.age_s != float("inf")),
        )
        yield _family("scanside_process_starts_total", (((beat.process,), beat.starts) for beat in beats))
        yield _family(
            "scanside_process_fault",
            (((name,), read_fault(run, name) is not None) for name in self._processes),
        )
        proofs = {name: read_proof_of(run, name, self._clock) for name in PROOFS}
        seen = [(name, proof) for name, proof in proofs.items() if proof is not None]
        yield _family("scanside_proof_ok", (((name,), proof.passed) for name, proof in seen))
        yield _family(
            "scanside_proof_age_seconds",
            (((name,), proof.age_s) for name, proof in seen if proof.made_ns is not None),
        )
        yield _family(
            "scanside_proof_duration_seconds", (((name,), proof.took_ms / 1000.0) for name, proof in seen)
        )


def as_text(metrics: DeviceMetrics) -> bytes:
    """What a scrape gives."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    return generate_latest(registry)


def _family(name: str, values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    row = ROWS[name]
    build = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
    family = build(name.removesuffix("_total"), row.says, labels=row.labels)
    for labels, value in values:
        family.add_metric(labels, float(value))
    return family


def _counters(counts: dict[Key, float]) -> Iterator[Metric]:
    for name, family in (
        ("results", "results"),
        ("checks", "checks"),
        ("verdicts", "verdicts"),
        ("findings", "findings"),
        ("refusals", "refusals"),
        ("deadlines", "deadlines"),
        ("files", "files"),
        ("quarantined", "quarantined_files"),
        ("fallback_answers", "fallback_answers"),
    ):
        yield _family(
            f"scanside_{family}_total",
            ((labels, value) for (counted, labels), value in sorted(counts.items()) if counted == name),
        )


def _stages(counts: dict[Key, float]) -> Metric:
    row = ROWS["scanside_stage_seconds"]
    family = HistogramMetricFamily(row.name, row.says, labels=row.labels)
    bounds = [*(str(bound) for bound in BUCKETS_S), ENDLESS]
    for (name, labels), total_s in sorted(counts.items()):
        if name == "stage_sum":
            each = (counts.get(("stage", (*labels, bound)), 0.0) for bound in bounds)
            family.add_metric(labels, list(zip(bounds, accumulate(each), strict=True)), total_s)
    return family


def _waiting(waiting: Waiting) -> Iterator[Metric]:
    lanes = waiting.lanes()
    yield _family("scanside_jobs", (((lane.lane, lane.state), lane.count) for lane in lanes))
    ages = {lane.lane: lane.oldest_s for lane in lanes if lane.oldest_s is not None}
    yield _family(
        "scanside_queue_oldest_seconds", (((lane.value,), ages.get(lane.value, 0.0)) for lane in Lane)
    )
    yield _family("scanside_exams_receiving", [((), waiting.receiving())])
    reasons: dict[tuple[str, ...], float] = {}
    for reason, count in waiting.quarantined_reasons():
        key = (reason_class(reason),)
        reasons[key] = reasons.get(key, 0) + count
    yield _family("scanside_quarantined_jobs", sorted(reasons.items()))
    yield _family("scanside_outbox_rendering", [((), waiting.renders())])
    receivers = waiting.receivers()
    away = dict(waiting.away())
    counted: dict[str, float] = dict.fromkeys(sorted(away), 0.0)
    counted.update({one.receiver: one.count for one in receivers})
    yield _family("scanside_outbox_waiting", (((name,), count) for name, count in counted.items()))
    yield _family(
        "scanside_outbox_oldest_timestamp_seconds",
        (((one.receiver,), one.oldest_at_utc.timestamp()) for one in receivers if one.oldest_at_utc),
    )
    yield _family("scanside_receiver_away", (((name,), since is not None) for name, since in away.items()))
    yield _family(
        "scanside_receiver_away_since_timestamp_seconds",
        (((name,), since.timestamp()) for name, since in away.items() if since is not None),
    )


def _drift(store: DriftStore) -> Iterator[Metric]:
    reports = store.latest_reports()[:SCANNERS_SHOWN]
    distances: list[tuple[tuple[str, ...], float]] = []
    for report in reports:
        worst: dict[str, float] = {}
        for one in report.features:
            worst[one.feature] = max(worst.get(one.feature, 0.0), one.distance / one.bound)
        distances += [((report.scanner, feature), value) for feature, value in worst.items()]
    yield _family("scanside_drift_distance", distances)
    yield _family(
        "scanside_drift_alarm", (((one.scanner,), one.state is DriftState.DRIFT) for one in reports)
    )
    yield _family("scanside_drift_exams", (((one.scanner,), one.recent_exams) for one in reports))


def _shadows(shadows: Shadows) -> Iterator[Metric]:
    nights = shadows.last_nights()
    yield _family("scanside_shadow_images", (((one.task, one.shadow_model), one.images) for one in nights))
    yield _family(
        "scanside_shadow_different", (((one.task, one.shadow_model), one.different) for one in nights)
    )


def _add_rest(counts: dict[Key, float], tallies: Tallies) -> None:
    """Count in memory what nobody has counted yet."""

    def add(more: dict[Key, float]) -> None:
        for key, value in more.items():
            counts[key] = counts.get(key, 0.0) + value

    rowid = tallies.position(RESULT)
    while results := tallies.results_after(rowid, limit=AT_ONCE):
        add(count_results(results))
        rowid = results[-1].rowid
    rowid = tallies.position(FILE)
    while files := tallies.files_after(rowid, limit=AT_ONCE):
        add(count_files(files))
        rowid = files[-1].rowid
