# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One health word and one line of advice: what somebody who knows no computers must do, if anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.clock import NS_PER_S
from appliance.domain.job import JobState
from appliance.monitor.boots import NOTICE
from appliance.monitor.fault import SETTINGS
from appliance.monitor.silent_folder import silent_folders
from appliance.store.board import Counts
from ui.advice_words import reason_in_words
from ui.device_faults import device_faults
from ui.language import tr, tr_n
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.proof_words import is_proved, is_too_old, proof_words
from ui.records import BoardRecord, HealthRecord, StoreTrouble
from ui.wording import clock_time

STALE_S: Final = 60.0
"""Data older than this are dated and greyed (KIOSK.md, rule 22)."""
SILENT_S: Final = 25.0
"""A process that gave no sign for this long is called stopped. A busy one beats every second; the longest
single step, a frame that will not decode, is given up after 20 s (ReadingSettings.decode_timeout_s)."""
STARTING_S: Final = 120.0
"""So long may a worker be silent while it loads and proves its models (its row in processes/table.py)."""
MANY_WAITING: Final = 20
"""Queued jobs from which the device is called slow: ten radiographs, five minutes of the busiest hour."""
LONGEST_FOLDER: Final = 60
"""Characters of a folder's path that fit into the line of advice."""
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
    proof: str = ""
    """When the device last showed that its answers are right."""


def health_of(board: BoardRecord, *, now_ns: int, trouble: StoreTrouble | None, engine: str) -> HealthState:
    """The bar's content. `trouble`: why there is no newer reading; `engine`: the one that answered last."""
    health = board.health
    is_old = trouble is not None or now_ns - board.read_ns > STALE_S * NS_PER_S
    faults = faults_of(board, now_ns=now_ns, trouble=trouble)
    kind, word, advice = faults[0] if faults else (HealthKind.OK, tr("OK"), "")
    last = health.counts.last_result_at_utc
    open_states = {JobState.QUEUED, JobState.LEASED}
    in_work = sum(any(lane.state in open_states for lane in exam.entry.lanes) for exam in board.exams)
    return HealthState(
        kind=kind,
        word=word,
        advice=advice,
        queue=tr_n("{count} exam in work", "{count} exams in work", in_work),
        last_result=tr("no result yet") if last is None else tr("last result {time}", time=clock_time(last)),
        engine=engine or tr("no engine used yet"),
        disk=_disk_words(health.disk_used_fraction),
        proof=proof_words(health.proof, now_ns=now_ns),
        stale=tr("Data from {time}", time=clock_time(board.read_at_utc)) if is_old else "",
    )


def _disk_words(used_fraction: float | None) -> str:
    return tr("disk ?") if used_fraction is None else tr("disk {share}", share=f"{used_fraction:.0%}")


def faults_of(
    board: BoardRecord, *, now_ns: int, trouble: StoreTrouble | None
) -> tuple[tuple[HealthKind, str, str], ...]:
    """Kind, word and advice of all that is wrong, worst first."""
    kinds = {True: HealthKind.DANGER, False: HealthKind.ATTENTION}
    machine = ((kinds[fault.loses], fault.word, fault.advice) for fault in device_faults(board))
    health = board.health
    faults = (*_faults(health, now_ns=now_ns, trouble=trouble), *machine, *_backlogs(health.counts))
    return tuple(sorted(faults, key=lambda fault: fault[0] is not HealthKind.DANGER))


def closed_health(trouble: StoreTrouble | None) -> HealthState | None:
    """The bar while the store has never been read; None while it still may be."""
    if trouble is None:
        return None
    words = visible(f"{trouble.what} {trouble.remedy}", limit=LONGEST_SENTENCE)
    return HealthState(
        kind=HealthKind.DANGER,
        word=tr("STORE CLOSED"),
        advice=words,
        queue="",
        last_result="",
        engine="",
        disk="",
        stale="",
    )


def checker_down(health: HealthRecord, *, now_ns: int) -> str | None:
    """Why no image is being checked now, in words; None while the worker gives signs of life."""
    fault = health.fault("worker")
    if fault is not None:
        words = visible(f"{fault.what} {fault.remedy}", limit=LONGEST_SENTENCE)
        return tr("Checks and AI cannot start: {why}", why=words)
    since = _silent_since(health, "worker", now_ns=now_ns)
    return (
        None
        if since is None
        else tr("Checks and AI not running{since}. Judge the image yourself.", since=since)
    )


def _silent_since(health: HealthRecord, process: str, *, now_ns: int) -> str | None:
    """When the last sign was (" since 08:12"; "" when unknown); None while there are signs of life."""
    sign = health.sign(process)
    if sign is None or sign.beat_ns is None or sign.beat_at_utc is None:
        return ""
    limit_s = STARTING_S if _is_starting(sign.state) else SILENT_S
    if now_ns - sign.beat_ns <= limit_s * NS_PER_S:
        return None
    return " " + tr("since {time}", time=clock_time(sign.beat_at_utc))


def _is_starting(state: str) -> bool:
    return state.startswith("loading")


def _faults(
    health: HealthRecord, *, now_ns: int, trouble: StoreTrouble | None
) -> Iterator[tuple[HealthKind, str, str]]:
    """What is wrong with the programs and the disk."""
    if trouble is not None:
        words = f"{reason_in_words(trouble.what)} {reason_in_words(trouble.remedy)}"
        yield HealthKind.DANGER, tr("STORE CLOSED"), words
    disk = health.disk_used_fraction or 0.0
    if disk >= DISK_FULLNESS_DANGER:
        yield (
            HealthKind.DANGER,
            tr("DISK {share}", share=f"{disk:.0%}"),
            tr("New images may be refused. Call service now."),
        )
    yield from _cannot_start(health)
    yield from _failed_proof(health)
    yield from _silent_processes(health, now_ns=now_ns)
    yield from _missing_proof(health, now_ns=now_ns)
    if disk >= DISK_FULLNESS_WARN:
        yield (
            HealthKind.ATTENTION,
            tr("DISK {share}", share=f"{disk:.0%}"),
            tr("Disk is getting full. Call service this week."),
        )


def _cannot_start(health: HealthRecord) -> Iterator[tuple[HealthKind, str, str]]:
    """What a process left behind that ended at its start: the reason and the remedy, not just silence."""
    names = {
        "run": (HealthKind.DANGER, tr("NOT RUNNING")),
        NOTICE: (HealthKind.ATTENTION, tr("SAFE MODE")),
        SETTINGS: (HealthKind.ATTENTION, tr("OLD SETTINGS")),
        "watcher": (HealthKind.DANGER, tr("NOT RECEIVING")),
        "worker": (HealthKind.ATTENTION, tr("AI NOT RUNNING")),
        "sender": (HealthKind.ATTENTION, tr("NOT SENDING")),
    }
    for process, (kind, word) in names.items():
        fault = health.fault(process)
        if fault is not None:
            yield kind, word, visible(f"{fault.what} {fault.remedy}", limit=LONGEST_SENTENCE)


def _failed_proof(health: HealthRecord) -> Iterator[tuple[HealthKind, str, str]]:
    if is_proved(health.proof) and health.proof is not None and not health.proof.passed:
        yield HealthKind.ATTENTION, tr("AI OFF"), tr("Usual practice. Read without AI. Call service.")


def _missing_proof(health: HealthRecord, *, now_ns: int) -> Iterator[tuple[HealthKind, str, str]]:
    """Never green without a proof; a worker that is silent or loading is said already."""
    if health.proof is None or not is_proved(health.proof):
        yield HealthKind.ATTENTION, tr("NOT PROVED"), tr("AI has not tested itself yet. Wait a minute.")
    elif is_too_old(health.proof, now_ns=now_ns):
        yield HealthKind.ATTENTION, tr("PROOF OLD"), tr("AI has not tested itself lately. Call service.")


def _silent_processes(health: HealthRecord, *, now_ns: int) -> Iterator[tuple[HealthKind, str, str]]:
    since = _silent_since(health, "watcher", now_ns=now_ns)
    if since is not None:
        yield (
            HealthKind.DANGER,
            tr("NOT RECEIVING"),
            tr("New images do not arrive{since}. Call service.", since=since),
        )
    watcher = health.sign("watcher")
    for folder in silent_folders(watcher.state) if watcher is not None and since is None else ():
        yield (
            HealthKind.ATTENTION,
            tr("SHARE SILENT"),
            tr(
                "{folder} does not answer since {time}. Its images wait; all others arrive.",
                folder=visible(folder.path, limit=LONGEST_FOLDER),
                time=folder.since,
            ),
        )
    since = _silent_since(health, "worker", now_ns=now_ns)
    if since is not None:
        yield (
            HealthKind.ATTENTION,
            tr("AI NOT RUNNING"),
            tr("AI not running{since}: read without AI.", since=since),
        )
    worker = health.sign("worker")
    if worker is not None and _is_starting(worker.state):
        yield HealthKind.ATTENTION, tr("STARTING"), tr("AI is getting ready. Read without AI until then.")
    if health.counts.unsent and _silent_since(health, "sender", now_ns=now_ns) is not None:
        words = tr_n(
            "{count} result waits here. Nothing is lost.",
            "{count} results wait here. Nothing is lost.",
            health.counts.unsent,
        )
        yield HealthKind.ATTENTION, tr("NOT SENDING"), words


def _backlogs(counts: Counts) -> Iterator[tuple[HealthKind, str, str]]:
    if counts.queued > MANY_WAITING:
        yield (
            HealthKind.ATTENTION,
            tr("SLOW"),
            tr_n(
                "{count} step waits. Do not wait for AI.",
                "{count} steps wait. Do not wait for AI.",
                counts.queued,
            ),
        )
    if counts.failed:
        yield (
            HealthKind.ATTENTION,
            tr("FAILED"),
            tr_n(
                "{count} failed. That image says NOT CHECKED.",
                "{count} failed. Those images say NOT CHECKED.",
                counts.failed,
            ),
        )
    if counts.quarantined_files:
        words = tr_n(
            "{count} file not readable: kept safe, not in this list.",
            "{count} files not readable: kept safe, not in this list.",
            counts.quarantined_files,
        )
        yield HealthKind.ATTENTION, tr("SET ASIDE"), words
    if counts.unsent:
        yield (
            HealthKind.ATTENTION,
            tr("SENDING"),
            tr_n(
                "{count} result still to send. Nothing is lost.",
                "{count} results still to send. Nothing is lost.",
                counts.unsent,
            ),
        )
