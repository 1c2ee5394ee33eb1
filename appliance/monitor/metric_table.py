# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every metric: its name, its labels and what it says. docs/monitoring.md is tested against this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One family of time series."""

    name: str
    """As it is scraped, a counter with its `_total`."""
    kind: str
    """counter, gauge or histogram."""
    labels: tuple[str, ...]
    says: str


def _counter(name: str, says: str, *labels: str) -> MetricRow:
    return MetricRow(name=f"scanside_{name}_total", kind="counter", labels=labels, says=says)


def _gauge(name: str, says: str, *labels: str) -> MetricRow:
    return MetricRow(name=f"scanside_{name}", kind="gauge", labels=labels, says=says)


METRICS: Final = (
    _gauge("build_info", "Always 1; the version is the label.", "version"),
    _gauge("store_readable", "1: the store could be read for this answer. 0: most of it is missing."),
    _counter("results", "Lanes of exams that were answered.", "lane"),
    _gauge("jobs", "Lanes of exams that are not answered, by where they stand.", "lane", "state"),
    _gauge("queue_oldest_seconds", "How long the first in the queue has waited.", "lane"),
    _gauge("exams_receiving", "Exams of which more is expected."),
    _counter("checks", "Criteria of quality control, by verdict.", "criterion", "verdict"),
    _counter("verdicts", "Exams by the worst verdict that quality control reached.", "verdict"),
    _counter("findings", "Answers of models, by decision.", "task", "finding", "decision"),
    _counter("refusals", "Exams for which a task gave no answer.", "task"),
    _counter(
        "deadlines",
        "Checks of live exams: in_time, late, unknown (a restart in between), without_check.",
        "kind",
        "outcome",
    ),
    MetricRow(
        name="scanside_stage_seconds",
        kind="histogram",
        labels=("lane", "stage"),
        says="How long each stage took; `answered` is from first sight to the commit.",
    ),
    _counter("files", "Files that came in.", "door", "status"),
    _counter("quarantined_files", "Files that could not be used, by class of reason.", "reason"),
    _gauge("quarantined_jobs", "Lanes that were set aside as the image's fault.", "reason"),
    _gauge("outbox_rendering", "Results that are not DICOM objects yet."),
    _gauge("outbox_waiting", "Files that a receiver has yet to take.", "receiver"),
    _gauge(
        "outbox_oldest_timestamp_seconds",
        "When the file that was queued first for it came in, or was made (Unix time).",
        "receiver",
    ),
    _gauge("receiver_away", "1: the receiver took nothing at the last try.", "receiver"),
    _gauge("receiver_away_since_timestamp_seconds", "Since when (Unix time); only while away.", "receiver"),
    _gauge("heartbeat_age_seconds", "Since the process last gave a sign of life in this boot.", "process"),
    _counter("process_starts", "Starts of the process that came to a heartbeat.", "process"),
    _gauge("process_fault", "1: the process could not start; `scanside doctor` says why.", "process"),
    _gauge("proof_ok", "1: the last known-answer test passed (worker; path: the whole way).", "proof"),
    _gauge("proof_age_seconds", "Since that test, in this boot.", "proof"),
    _gauge("proof_duration_seconds", "How long it took.", "proof"),
    _gauge("disk_free_bytes", "Space left for the data folder."),
    _gauge("disk_size_bytes", "Size of its disk."),
    _gauge("temperature_celsius", "The thermal zone that is nearest to its limit.", "zone"),
    _gauge("temperature_limit_celsius", "Where that zone's device slows itself down or stops.", "zone"),
    _gauge("too_hot", "1: it is there; work is slowed down."),
    _gauge("battery_fraction", "Charge left, 0 to 1."),
    _gauge("model_info", "Always 1: who answered last for a task, and on what.", "task", "model", "engine"),
    _gauge("fallback_in_force", "1: the first engine of the settings did not answer last.", "task"),
    _counter("fallback_answers", "Answers that came from another engine than the first.", "task"),
    _gauge(
        "drift_distance",
        "How far a feature is from its scanner's baseline; 1 is the bound.",
        "scanner",
        "feature",
    ),
    _gauge("drift_alarm", "1: a feature of this scanner is beyond its bound.", "scanner"),
    _gauge("drift_exams", "Exams of this scanner that were compared; 0: too few so far.", "scanner"),
    _gauge("shadow_images", "Images that a model in the shadow looked at, last night.", "task", "model"),
    _gauge("shadow_different", "Decisions in them that differ from those that counted.", "task", "model"),
)
ROWS: Final = {row.name: row for row in METRICS}
