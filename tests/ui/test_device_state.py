# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appliance.monitor.power import Battery
from tests.ui.test_device_faults import battery, with_device, with_peer
from ui.device_state import DeviceLine, DeviceState, LineKind, device_state
from ui.health_state import health_of
from ui.records import BoardRecord

NOTHING: dict[str, Any] = {
    "temperature": None,
    "battery": None,
    "network_time": None,
    "disk_free_bytes": None,
    "peers": (),
}


def state(clinic: Any, board: BoardRecord, *, later_s: float = 0) -> DeviceState:
    now_ns = clinic.clock.monotonic_ns() + round(later_s * 1e9)
    health = health_of(board, now_ns=now_ns, trouble=None, engine="")
    return device_state(board, now_ns=now_ns, trouble=None, health=health)


def line(shown: DeviceState, subject: str) -> DeviceLine:
    return next(one for one in shown.lines if one.subject.startswith(subject))


def test_a_device_that_is_well_gives_no_advice(clinic: Any) -> None:
    board = with_device(clinic.read())
    board = replace(board, health=replace(board.health, disk_used_fraction=0.4))
    shown = state(clinic, board)
    subjects = [one.subject for one in shown.lines]
    assert subjects == ["Device", "Queue", "Disk", "PACS PACS", "Clock", "Temperature", "Battery"]
    assert {one.kind for one in shown.lines} == {LineKind.OK}
    assert not any(one.advice for one in shown.lines)
    assert line(shown, "Disk").detail == "10 GB free"
    assert line(shown, "Temperature").word == "62 °C"


def test_what_is_not_known_is_said_and_never_green(clinic: Any) -> None:
    board = clinic.read()
    for device in (with_device(board, **NOTHING), replace(board, health=replace(board.health, device=None))):
        shown = state(clinic, device)
        for subject in ("PACS", "Temperature", "Battery"):
            assert line(shown, subject).kind is LineKind.UNKNOWN, subject
            assert "not" in line(shown, subject).word
        assert line(shown, "Clock").kind is LineKind.UNKNOWN
        assert line(shown, "Clock").detail == "Network time: not known"
    assert line(state(clinic, with_device(board, **NOTHING)), "PACS").word == "not configured"
    blind = replace(board, health=replace(board.health, disk_used_fraction=None))
    assert line(state(clinic, blind), "Disk").kind is LineKind.UNKNOWN


def test_an_old_reading_is_not_green(clinic: Any) -> None:
    board = with_device(clinic.read())
    health = replace(health_of(board, now_ns=board.read_ns, trouble=None, engine=""), stale="Data from 08:00")
    shown = device_state(board, now_ns=board.read_ns, trouble=None, health=health)
    assert (shown.lines[0].kind, shown.lines[0].detail) == (LineKind.UNKNOWN, "Data from 08:00")


def test_a_receiver_says_when_what_waits_and_what_it_said(clinic: Any) -> None:
    board = clinic.read()
    now = board.read_at_utc
    away = with_peer(
        board,
        waiting=3,
        attempts=7,
        reason="Connection refused.",
        away_since_utc=now - timedelta(minutes=9),
        oldest_waiting_at_utc=now - timedelta(minutes=10),
    )
    shown = line(state(clinic, away), "PACS")
    assert (shown.word, shown.kind) == ("OFFLINE", LineKind.ATTENTION)
    for part in ("3 files wait", "tried 7 times", "it said: Connection refused.", "oldest from"):
        assert part in shown.detail
    assert shown.advice
    refuses = line(state(clinic, with_peer(board, waiting=1, attempts=1, reason="no")), "PACS")
    assert (refuses.word, refuses.kind) == ("REFUSES a file", LineKind.ATTENTION)
    never = line(state(clinic, with_peer(board, last_sent_at_utc=None)), "PACS")
    assert (never.word, never.kind) == ("not known", LineKind.UNKNOWN)


@pytest.mark.parametrize(("moved_s", "said"), [(60, ""), (7300, "forward by 2 h 01"), (-90, "back by 1:30")])
def test_a_clock_that_was_set_is_told(clinic: Any, moved_s: float, said: str) -> None:
    shown = line(state(clinic, with_device(clinic.read(), clock_moved_s=moved_s)), "Clock")
    assert (said in shown.detail) if said else ("set" not in shown.detail.replace("Set from", ""))
    assert bool(shown.advice) is bool(said)


def test_patients_left_only_when_energy_and_exams_are_measured(clinic: Any) -> None:
    clinic.clock.advance(7200)
    for exam_id in ("a", "b", "c"):
        clinic.land(exam_id)
    clinic.signs_of_life()
    measured = Battery(fraction=0.5, discharging=True, energy_j=60_000.0, power_w=10.0)
    board = clinic.read()
    # 10 W for an hour are 36 kJ for three exams: 12 kJ each
    assert (
        "Exams left on battery: 5"
        in line(state(clinic, with_device(board, battery=measured)), "Battery").detail
    )
    unknown = (battery(0.5), replace(measured, power_w=None), replace(measured, energy_j=None))
    for one in unknown:
        shown = line(state(clinic, with_device(board, battery=one)), "Battery")
        assert "Exams left on battery: not known" in shown.detail
    fewer = replace(board, exams=board.exams[:2])
    shown = line(state(clinic, with_device(fewer, battery=measured)), "Battery")
    assert "Exams left on battery: not known" in shown.detail
    mains = line(state(clinic, with_device(board, battery=replace(measured, discharging=False))), "Battery")
    assert "Patients" not in mains.detail


def test_a_fall_back_is_told_with_its_reason_and_the_newest_answer_counts(clinic: Any, make: Any) -> None:
    old = clinic.land("old")
    clinic.answer(old, triage=clinic.triage(make.finding("Nodule", 0.4), fallback="openvino failed."))
    (engine,) = state(clinic, clinic.read()).engines
    assert (engine.kind, engine.word) == (LineKind.ATTENTION, "onnxruntime int8 CPU")
    assert engine.advice == "Second choice: openvino failed."


def test_a_queue_that_is_long_or_failed_says_what_to_do(clinic: Any) -> None:
    board = clinic.read()
    for counts, kind in (
        ({"queued": 20}, LineKind.OK),
        ({"queued": 21}, LineKind.ATTENTION),
        ({"failed": 1}, LineKind.ATTENTION),
    ):
        changed = replace(board.health, counts=replace(board.health.counts, **counts))
        shown = line(state(clinic, replace(board, health=changed)), "Queue")
        assert shown.kind is kind
        assert bool(shown.advice) is (kind is LineKind.ATTENTION)


def test_further_faults_are_named(clinic: Any) -> None:
    board = clinic.read()
    health = replace(board.health, disk_used_fraction=0.96)
    board = replace(
        with_device(board, battery=battery(0.1)),
        health=replace(health, device=with_device(board, battery=battery(0.1)).health.device),
    )
    shown = state(clinic, board).lines[0]
    assert shown.word == "DISK 96%"
    assert "BATTERY 10%" in shown.detail
