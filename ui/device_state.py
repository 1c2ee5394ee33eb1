# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The device page as one frozen value: each line with its sign, its word and what to do. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.domain.job import JobState
from appliance.monitor.power import Battery, exams_in_window, exams_left
from appliance.store.peers import PeerStanding
from ui.device_faults import (
    CLOCK_SLACK_S,
    DeviceFault,
    battery_faults,
    clock_faults,
    heat_faults,
    moment_words,
    peer_faults,
)
from ui.device_record import DeviceRecord
from ui.health_state import (
    DISK_FULLNESS_DANGER,
    DISK_FULLNESS_WARN,
    MANY_WAITING,
    HealthKind,
    HealthState,
    faults_of,
)
from ui.language import tr
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.records import BoardRecord, StoreTrouble
from ui.stage_trends import TrendGroup, trend_groups
from ui.store_source import EXAMS_ON_BOARD
from ui.wording import clock_time, duration

_GB: Final = 1e9
_GREEN_DEVICE_KINDS: Final = {
    HealthKind.OK: "ok",
    HealthKind.ATTENTION: "attention",
    HealthKind.DANGER: "danger",
}


class LineKind(str, Enum):
    """What was not looked at is grey, never green."""

    OK = "ok"
    ATTENTION = "attention"
    DANGER = "danger"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One thing about the device."""

    subject: str
    kind: LineKind
    word: str
    detail: str = ""
    advice: str = ""
    """What to do; only where something is wrong."""

    @property
    def spoken(self) -> str:
        """For a screen reader."""
        return ". ".join(part for part in (f"{self.subject}: {self.word}", self.detail, self.advice) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """The first page."""

    lines: tuple[DeviceLine, ...]
    engines: tuple[DeviceLine, ...]
    """One per task that has been answered."""
    trends: tuple[TrendGroup, ...]


def device_state(
    board: BoardRecord, *, now_ns: int, trouble: StoreTrouble | None, health: HealthState
) -> DeviceState:
    """The page for this reading. `health`: what the bar says of it."""
    device = board.health.device
    lines = [
        _health(board, health, now_ns=now_ns, trouble=trouble),
        _queue(board, health),
        _disk(board.health.disk_used_fraction, device),
        *_peers(board),
        _clock(board),
        _temperature(device),
        _battery(board, now_ns=now_ns),
    ]
    return DeviceState(lines=tuple(lines), engines=tuple(_engines(board)), trends=trend_groups(board.exams))


def _unknown(subject: str, detail: str = "") -> DeviceLine:
    return DeviceLine(subject=subject, kind=LineKind.UNKNOWN, word=tr("not known"), detail=detail)


def _judged(
    subject: str, word: str, detail: str, faults: Iterator[DeviceFault], *, good: LineKind = LineKind.OK
) -> DeviceLine:
    """A line that says what its first fault says, if it has one."""
    fault = next(faults, None)
    if fault is None:
        return DeviceLine(subject=subject, kind=good, word=word, detail=detail)
    kind = LineKind.DANGER if fault.loses else LineKind.ATTENTION
    return DeviceLine(subject=subject, kind=kind, word=word, detail=detail, advice=fault.advice)


def _health(
    board: BoardRecord, health: HealthState, *, now_ns: int, trouble: StoreTrouble | None
) -> DeviceLine:
    others = [word for _, word, _ in faults_of(board, now_ns=now_ns, trouble=trouble)[1:]]
    also = tr("Also: {words}", words=", ".join(others)) if others else ""
    kind = LineKind(_GREEN_DEVICE_KINDS[health.kind])
    if health.stale and kind is LineKind.OK:
        kind = LineKind.UNKNOWN  # an old reading says nothing about now
    detail = "  ·  ".join(part for part in (health.stale, also) if part)
    return DeviceLine(subject=tr("Device"), kind=kind, word=health.word, detail=detail, advice=health.advice)


def _queue(board: BoardRecord, health: HealthState) -> DeviceLine:
    counts = board.health.counts
    parts = [tr("{count} steps wait", count=counts.queued), health.last_result]
    if counts.failed:
        parts.append(tr("{count} failed", count=counts.failed))
    advice = tr("Do not wait for AI.") if counts.queued > MANY_WAITING else ""
    wrong = bool(advice or counts.failed)
    if counts.failed and not advice:
        advice = tr("Failed images say NOT CHECKED. Look yourself.")
    open_states = {JobState.QUEUED, JobState.LEASED}
    in_work = sum(any(lane.state in open_states for lane in exam.entry.lanes) for exam in board.exams)
    return DeviceLine(
        subject=tr("Queue"),
        kind=LineKind.ATTENTION if wrong else LineKind.OK,
        word=tr("{count} in work", count=in_work),
        detail="  ·  ".join(parts),
        advice=advice,
    )


def _disk(used_fraction: float | None, device: DeviceRecord | None) -> DeviceLine:
    free_bytes = device.disk_free_bytes if device is not None else None
    if used_fraction is None:
        return _unknown(tr("Disk"))
    detail = "" if free_bytes is None else tr("{size} GB free", size=f"{free_bytes / _GB:.0f}")
    kind, advice = LineKind.OK, ""
    if used_fraction >= DISK_FULLNESS_DANGER:
        kind, advice = LineKind.DANGER, tr("New images may be refused. Call service now.")
    elif used_fraction >= DISK_FULLNESS_WARN:
        kind, advice = LineKind.ATTENTION, tr("Disk is getting full. Call service this week.")
    word = tr("{percent} full", percent=f"{used_fraction:.0%}")
    return DeviceLine(subject=tr("Disk"), kind=kind, word=word, detail=detail, advice=advice)


def _peers(board: BoardRecord) -> Iterator[DeviceLine]:
    device = board.health.device
    if device is None:
        yield _unknown(tr("PACS"))
        return
    if not device.peers:
        detail = tr("Results stay on this device.")
        yield DeviceLine(subject=tr("PACS"), kind=LineKind.UNKNOWN, word=tr("not configured"), detail=detail)
    for peer in device.peers:
        yield _peer(peer, board)


def _peer(peer: PeerStanding, board: BoardRecord) -> DeviceLine:
    now_utc = board.read_at_utc
    parts = []
    if peer.last_sent_at_utc is None:
        parts.append(tr("Has taken nothing yet"))
    else:
        parts.append(tr("Last taken {time}", time=moment_words(peer.last_sent_at_utc, now_utc=now_utc)))
    parts.append(tr("{count} files wait", count=peer.waiting))
    if peer.oldest_waiting_at_utc is not None:
        parts.append(tr("oldest from {time}", time=moment_words(peer.oldest_waiting_at_utc, now_utc=now_utc)))
    if peer.unconfirmed:
        parts.append(tr("{count} taken, not confirmed", count=peer.unconfirmed))
    if peer.attempts:
        parts.append(tr("tried {count} times", count=peer.attempts))
    if said := peer.away_reason or peer.reason:
        parts.append(tr("it said: {reason}", reason=visible(said, limit=LONGEST_SENTENCE)))
    good = LineKind.UNKNOWN if peer.last_sent_at_utc is None else LineKind.OK
    word, advice = (tr("not known"), "") if good is LineKind.UNKNOWN else (tr("OK"), "")
    if next(peer_faults(peer, now_utc=now_utc), None) is not None:
        good = LineKind.ATTENTION
        if peer.away_since_utc is not None:
            since = moment_words(peer.away_since_utc, now_utc=now_utc)
            parts.insert(0, tr("since {time}", time=since))
            word, advice = tr("OFFLINE"), tr("Check the network cable. Nothing is lost.")
            if peer.needs_person:
                word, advice = tr("REFUSES this device"), tr("Call service. Nothing is lost.")
        else:
            word, advice = tr("REFUSES a file"), tr("Other files still go. Call service.")
    return DeviceLine(
        subject=tr("PACS {name}", name=visible(peer.name)),
        kind=good,
        word=word,
        detail="  ·  ".join(parts),
        advice=advice,
    )


def _clock(board: BoardRecord) -> DeviceLine:
    device = board.health.device
    network = device.network_time if device is not None else None
    moved_s = device.clock_moved_s if device is not None else 0.0
    words = {
        True: tr("Set from the network"),
        False: tr("Not set from the network"),
        None: tr("Network time: not known"),
    }
    parts = [words[network]]
    if abs(moved_s) > CLOCK_SLACK_S:
        by = duration(abs(moved_s))
        parts.append(
            tr("It was set forward by {time}", time=by)
            if moved_s > 0
            else tr("It was set back by {time}", time=by)
        )
    shown = board.read_at_utc.astimezone().strftime("%Y-%m-%d %H:%M")
    line = _judged(
        tr("Clock"),
        shown,
        "  ·  ".join(parts),
        clock_faults(board),
        good=LineKind.OK if network else LineKind.UNKNOWN,
    )
    if len(parts) > 1 and not line.advice:
        advice = tr("Compare it with another clock.")
        return DeviceLine(
            subject=line.subject, kind=LineKind.ATTENTION, word=line.word, detail=line.detail, advice=advice
        )
    return line


def _temperature(device: DeviceRecord | None) -> DeviceLine:
    heat = device.temperature if device is not None else None
    if device is None or heat is None:
        return _unknown(tr("Temperature"), tr("This device has no sensor to read."))
    detail = tr("Limit {degrees}, sensor {name}", degrees=f"{heat.limit_c:.0f} °C", name=visible(heat.zone))
    return _judged(tr("Temperature"), f"{heat.celsius:.0f} °C", detail, heat_faults(device))


def _battery(board: BoardRecord, *, now_ns: int) -> DeviceLine:
    device = board.health.device
    battery = device.battery if device is not None else None
    if device is None or battery is None:
        return _unknown(tr("Battery"), tr("This device tells of no battery."))
    parts = [tr("On battery") if battery.discharging else tr("On mains power")]
    if battery.discharging:
        left = _patients_left(battery, board, now_ns=now_ns)
        shown = tr("not known") if left is None else str(left)
        parts.append(tr("Exams left on battery: {count}", count=shown))
    return _judged(tr("Battery"), f"{battery.fraction:.0%}", "  ·  ".join(parts), battery_faults(device))


def _patients_left(battery: Battery, board: BoardRecord, *, now_ns: int) -> int | None:
    landed_ns = tuple(exam.landed_ns for exam in board.exams if exam.landed_ns is not None)
    exams, window_s = exams_in_window(landed_ns, now_ns=now_ns, most=EXAMS_ON_BOARD)
    return exams_left(battery, exams=exams, window_s=window_s)


def _engines(board: BoardRecord) -> Iterator[DeviceLine]:
    """The newest answer of each task, with the time of its exam."""
    seen: set[str] = set()
    for exam in board.exams:
        uses = (use for lane in exam.entry.lanes if lane.result for use in lane.result.engines)
        for use in uses:
            if use.task in seen:
                continue
            seen.add(use.task)
            fallback = visible(use.fallback_reason, limit=LONGEST_SENTENCE)
            arrived = clock_time(exam.entry.landed_at_utc)
            yield DeviceLine(
                subject=visible(use.task).replace("_", " "),
                kind=LineKind.ATTENTION if fallback else LineKind.OK,
                word=visible(use.engine),
                detail=tr("{model}, exam of {time}", model=visible(use.model), time=arrived),
                advice=tr("Second choice: {reason}", reason=fallback) if fallback else "",
            )
