# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a result, or a file, adds to the counts. Pure. Labels come from lists of ours, never from a header."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, TypeAlias

from appliance.clock import NS_PER_S
from appliance.domain.acquisition import Urgency
from appliance.domain.deadline import deadline_s
from appliance.domain.job import Lane
from appliance.domain.quality import Verdict, worst
from appliance.domain.result import EngineUse
from appliance.store.tallies import FILE, RESULT, Key, StoredFile, StoredResult, Tallies

Counts: TypeAlias = defaultdict[Key, float]
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 3.0, 5.0, 10.0, 30.0, 120.0)
"""Upper bounds of the times that are told apart; 3 s and 10 s are the deadlines of domain/deadline.py."""
STAGES: Final = frozenset(
    (
        *("landed", "complete", "claimed", "waited"),
        *("decoded", "prepared", "inferred", "interpreted", "written", "answered"),
    )
)
"""`answered`: from the first sight of the last file to the commit."""
OTHER: Final = "other"
ENDLESS: Final = "+Inf"
MS_PER_S: Final = 1000.0
_REASONS: Final = (
    ("truncated", "truncated"),
    ("cut off", "truncated"),
    ("not a file", "not_a_file"),
    ("at most", "too_large"),
    ("the limit is", "too_large"),
    ("fault of the software", "software"),
    ("not read", "unsupported"),
    ("compressed", "pixels"),
    ("pixel", "pixels"),
    ("header", "header"),
    ("identifier", "header"),
)
"""The first words that a reason holds say its class: a reason itself is a sentence, and may be any."""
REASON_CLASSES: Final = (*dict.fromkeys(name for _, name in _REASONS), OTHER)


def reason_class(reason: str | None) -> str:
    """One of REASON_CLASSES."""
    words = (reason or "").lower()
    return next((name for part, name in _REASONS if part in words), OTHER)


def count_results(results: Iterable[StoredResult]) -> Counts:
    """What these add."""
    counts: Counts = defaultdict(float)
    for stored in results:
        _count_result(stored, counts)
    return counts


def _count_result(stored: StoredResult, counts: Counts) -> None:
    result = stored.result
    lane = result.lane.value
    counts["results", (lane,)] += 1
    for check in result.quality:
        counts["checks", (check.criterion, check.verdict.value)] += 1
    for finding in result.findings:
        counts["findings", (finding.task, finding.code.meaning, finding.decision.value)] += 1
    for refusal in result.refusals:
        counts["refusals", (refusal.task,)] += 1
    for use in result.engines:
        if use.fallback_reason is not None:
            counts["fallback_answers", (use.task,)] += 1
    for timing in result.timings:
        stage = timing.stage if timing.stage in STAGES else OTHER
        _observe(counts, lane, stage, timing.duration_ms / MS_PER_S)
    if stored.took_ns is not None and stored.urgency is not Urgency.BACKFILL:
        _observe(counts, lane, "answered", stored.took_ns / NS_PER_S)
    if result.lane is Lane.QUALITY:
        counts["verdicts", (worst(result.quality).value,)] += 1
        if stored.urgency is not Urgency.BACKFILL:
            counts["deadlines", (stored.kind.value, deadline_outcome(stored))] += 1


def deadline_outcome(stored: StoredResult) -> str:
    """As store.punctuality has it, for answers that were given."""
    if worst(stored.result.quality) is Verdict.NOT_CHECKED:
        return "without_check"
    if stored.took_ns is None:
        return "unknown"
    return "in_time" if stored.took_ns / NS_PER_S <= deadline_s(stored.kind) else "late"


def _observe(counts: Counts, lane: str, stage: str, seconds: float) -> None:
    """One duration, in its own bucket only; they are added up when they are shown."""
    bucket = next((str(bound) for bound in BUCKETS_S if seconds <= bound), ENDLESS)
    counts["stage", (lane, stage, bucket)] += 1
    counts["stage_sum", (lane, stage)] += max(seconds, 0.0)


def count_files(files: Iterable[StoredFile]) -> Counts:
    """What these add."""
    counts: Counts = defaultdict(float)
    for file in files:
        counts["files", (file.door, file.status)] += 1
        if file.status == "quarantined":
            counts["quarantined", (reason_class(file.reason),)] += 1
    return counts


def latest_engines(results: Iterable[StoredResult]) -> dict[str, EngineUse]:
    """Who answered last for each task."""
    return {use.task: use for stored in results for use in stored.result.engines}


def count_on(tallies: Tallies, *, at_once: int) -> int:
    """Count what has come since the last time, `at_once` rows of each table at most. Returns how many.

    Raises StoreError: then nothing was counted, and the next time begins where this one did.
    """
    results = tallies.results_after(tallies.position(RESULT), limit=at_once)
    files = tallies.files_after(tallies.position(FILE), limit=at_once)
    if results:
        tallies.add(count_results(results), source=RESULT, last_rowid=results[-1].rowid)
        tallies.note_engines(latest_engines(results))
    if files:
        tallies.add(count_files(files), source=FILE, last_rowid=files[-1].rowid)
    return len(results) + len(files)
