# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from appliance.domain.turned_away import Bar, TurnedAway
from appliance.monitor.power import Battery
from appliance.monitor.thermal import Temperature
from appliance.store.peers import PeerStanding
from ui.device_faults import device_faults, moment_words
from ui.device_record import DeviceRecord
from ui.health_state import HealthKind, health_of
from ui.records import BoardRecord

WELL = DeviceRecord(
    temperature=Temperature(celsius=62.0, limit_c=85.0, zone="cpu-thermal"),
    battery=Battery(fraction=0.64, discharging=True, energy_j=None, power_w=None),
    disk_free_bytes=10**10,
    network_time=True,
    clock_moved_s=0.0,
    peers=(
        PeerStanding(
            name="PACS",
            waiting=0,
            oldest_waiting_at_utc=None,
            attempts=0,
            reason=None,
            away_since_utc=None,
            last_sent_at_utc=datetime(2026, 3, 2, 7, 58, tzinfo=timezone.utc),
        ),
    ),
)


def with_device(board: BoardRecord, **change: Any) -> BoardRecord:
    return replace(board, health=replace(board.health, device=replace(WELL, **change)))


def with_peer(board: BoardRecord, **change: Any) -> BoardRecord:
    return with_device(board, peers=(replace(WELL.peers[0], **change),))


def battery(fraction: float, *, discharging: bool = True) -> Battery:
    return Battery(fraction=fraction, discharging=discharging, energy_j=None, power_w=None)


def test_a_device_that_is_well_or_was_not_looked_at_has_no_fault(clinic: Any) -> None:
    board = clinic.read()
    assert list(device_faults(with_device(board))) == []
    assert list(device_faults(replace(board, health=replace(board.health, device=None)))) == []
    untold = with_device(board, temperature=None, battery=None, network_time=None, peers=())
    assert list(device_faults(untold)) == []


@pytest.mark.parametrize(
    ("change", "word", "kind"),
    [
        (
            {"temperature": Temperature(celsius=84.9, limit_c=85.0, zone="z")},
            "OK",
            HealthKind.OK,
        ),
        (
            {"temperature": Temperature(celsius=85.0, limit_c=85.0, zone="z")},
            "HOT 85 °C",
            HealthKind.ATTENTION,
        ),
        ({"battery": battery(0.21)}, "OK", HealthKind.OK),
        ({"battery": battery(0.2)}, "BATTERY 20%", HealthKind.ATTENTION),
        ({"battery": battery(0.05, discharging=False)}, "OK", HealthKind.OK),
        ({"battery": battery(0.07)}, "BATTERY 7%", HealthKind.DANGER),
    ],
)
def test_heat_and_battery_are_health_words(
    clinic: Any, change: dict[str, Any], word: str, kind: HealthKind
) -> None:
    board = with_device(clinic.read(), **change)
    health = health_of(board, now_ns=clinic.clock.monotonic_ns(), trouble=None, engine="")
    assert (health.word, health.kind) == (word, kind)
    assert bool(health.advice) is (kind is not HealthKind.OK)


def test_a_receiver_that_is_away_is_said_before_the_backlog_that_it_makes(clinic: Any) -> None:
    board = clinic.read()
    board = with_peer(
        board,
        waiting=41,
        attempts=9,
        reason="refused",
        away_since_utc=board.read_at_utc - timedelta(minutes=20),
    )
    health = replace(board.health, counts=replace(board.health.counts, unsent=41))
    board = replace(board, health=health)
    shown = health_of(board, now_ns=clinic.clock.monotonic_ns(), trouble=None, engine="")
    assert (shown.word, shown.kind) == ("PACS OFFLINE", HealthKind.ATTENTION)
    assert "41 files wait. Nothing is lost." in shown.advice


def test_a_refused_file_is_told_with_what_the_receiver_said(clinic: Any) -> None:
    board = with_peer(clinic.read(), waiting=1, attempts=2, reason="0xA700\u202e no room")
    (fault,) = device_faults(board)
    assert fault.word == "PACS REFUSES"
    assert "[U+202E]" in fault.advice


def test_a_clock_before_an_image_or_before_the_software_is_wrong(clinic: Any) -> None:
    clinic.land("a")
    landed = clinic.clock.now_utc()
    for moved, wrong in (
        (timedelta(0), False),
        (timedelta(seconds=-59), False),
        (timedelta(seconds=-61), True),
    ):
        board = with_device(replace(clinic.read(), read_at_utc=landed + moved))
        assert ([fault.word for fault in device_faults(board)] == ["CLOCK"]) is wrong
    empty = replace(clinic.read(), exams=(), read_at_utc=datetime(2025, 12, 31, 23, tzinfo=timezone.utc))
    assert [fault.word for fault in device_faults(with_device(empty))] == ["CLOCK"]


def test_a_moment_of_another_day_has_its_date() -> None:
    now = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
    assert "-" not in moment_words(now - timedelta(minutes=5), now_utc=now)
    assert moment_words(now - timedelta(days=2), now_utc=now).startswith("2026-02-28")


def test_a_sender_that_is_refused_again_and_again_is_told(clinic: Any) -> None:
    once = TurnedAway(host="192.0.2.7", bar=Bar.CALLING_TITLE, ae_title="CT9", count=12, last_ns=1)
    (fault,) = device_faults(with_device(clinic.read(), turned_away=(once,)))
    assert (fault.word, fault.loses) == ("SENDER REFUSED", False)
    assert fault.advice.startswith("192.0.2.7 CT9 was refused 12 times.")
