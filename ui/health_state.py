# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One health word and one line of advice: what somebody who knows no computers must do, if anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from ui.plain_text import LONGEST_SENTENCE, visible
from ui.records import BoardRecord, HealthRecord, Heartbeat, StoreTrouble
from ui.wording import duration

STALE_S: Final = 60.0
"""Data older than this are dated and greyed (KIOSK.md, rule 22)."""
SILENT_S: Final = 15.0
"""A process that gave no sign for this long is called stopped: several times the beat of a busy one."""
SLOW_S: Final = 60.0
"""The oldest waiting exam is older than this: the device does not keep up (C1: 10 s for triage)."""
DISK_FULLNESS_WARN: Final = 0.85
DISK_FULLNESS_DANGER: Final = 0.95
"""Shares of the disk; a DX study is about 15 MB, so 5 % of 64 GB is some 200 exams."""


class HealthKind(str, Enum):
    """Device faults are amber; red only when images or results can be lost (KIOSK.md, rule 7)."""

    OK = "ok"
    ATTENTION = "attention"
    DANGER = "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthState:
    """The bar."""

    kind: HealthKind
    word: str
    advice: str
    queue: str
    last_result: str
    engine: str
    disk: str
    stale: str
    """"Data from 08:12" when what is shown is old; "" when it is fresh."""


def health_of(board: BoardRecord, *, age_s: float, trouble: StoreTrouble | None, engine: str) -> HealthState:
    """The bar's content. `age_s`: how old the reading is; `trouble`: why there is no newer one."""
    health = board.health
    stale = f"Data from {clock_time(board.read_at_utc)}" if age_s > STALE_S or trouble else ""
    kind, word, advice = next(_faults(health, trouble), (HealthKind.OK, "OK", ""))
    last = health.last_result_at_utc
    return HealthState(
        kind=kind,
        word=word,
        advice=advice,
        queue=f"{health.queued} waiting",
        last_result="no result yet" if last is None else f"last result {clock_time(last)}",
        engine=engine or "no engine in use yet",
        disk="disk ?" if health.disk_used_fraction is None else f"disk {health.disk_used_fraction:.0%}",
        stale=stale,
    )


def checker_down(health: HealthRecord) -> str | None:
    """Why no image is being checked now, in words; None while the worker gives signs of life."""
    return _silence(health.heartbeat("worker"), "Checks and AI", "Judge the image yourself.")


def clock_time(moment: datetime) -> str:
    """Hours and minutes on the device's own clock, as people read it."""
    return moment.astimezone().strftime("%H:%M")


def _silence(beat: Heartbeat | None, what: str, so: str) -> str | None:
    if beat is not None and beat.age_s is not None and beat.age_s <= SILENT_S:
        return None
    since = f" since {clock_time(beat.beat_at_utc)}" if beat is not None and beat.beat_at_utc else ""
    return f"{what} not running{since}. {so}"


def _faults(
    health: HealthRecord, trouble: StoreTrouble | None
) -> Iterator[tuple[HealthKind, str, str]]:
    """All that is wrong, worst first."""
    disk = health.disk_used_fraction
    if trouble is not None:
        words = visible(f"{trouble.what} {trouble.remedy}", limit=LONGEST_SENTENCE)
        yield HealthKind.DANGER, "STORE CLOSED", words
    if disk is not None and disk >= DISK_FULLNESS_DANGER:
        yield HealthKind.DANGER, f"DISK {disk:.0%}", "New images may be refused. Call service now."
    watcher = _silence(health.heartbeat("watcher"), "Receiving", "New images do not arrive. Call service.")
    if watcher:
        yield HealthKind.DANGER, "NOT RECEIVING", watcher
    worker = _silence(health.heartbeat("worker"), "AI and checks", "Read without AI.")
    if worker:
        yield HealthKind.ATTENTION, "AI NOT RUNNING", worker
    if disk is not None and disk >= DISK_FULLNESS_WARN:
        yield HealthKind.ATTENTION, f"DISK {disk:.0%}", "Disk is getting full. Call service this week."
    if health.oldest_queued_s is not None and health.oldest_queued_s > SLOW_S:
        waited = duration(health.oldest_queued_s)
        yield HealthKind.ATTENTION, "SLOW", f"Oldest waits {waited}. Do not wait for AI."
    if health.failed:
        yield HealthKind.ATTENTION, "FAILED", f"{health.failed} failed. These images are not checked."
    if health.unsent:
        yield HealthKind.ATTENTION, "UNSENT", f"{health.unsent} results wait for the PACS. Nothing is lost."
    if health.quarantined:
        count = health.quarantined
        files = "1 file" if count == 1 else f"{count} files"
        yield HealthKind.ATTENTION, "SET ASIDE", f"{files} could not be read. Kept safe, not shown here."
