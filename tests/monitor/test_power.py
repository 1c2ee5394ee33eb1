# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Batteries as Linux shows them, and how many exams are left in one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.monitor.power import Battery, exams_in_window, exams_left, read_battery

WORKING = Battery(fraction=0.6, discharging=True, energy_j=180_000.0, power_w=25.0)


def supply(root: Path, name: str, **files: str) -> None:
    folder = root / name
    folder.mkdir(parents=True)
    for file, content in files.items():
        (folder / file).write_text(content + "\n")


def test_a_device_without_a_battery(tmp_path: Path) -> None:
    assert read_battery(tmp_path / "absent") is None
    supply(tmp_path, "AC", type="Mains", online="1")
    supply(tmp_path, "mouse", type="Battery", scope="Device", capacity="5", status="Discharging")
    supply(tmp_path, "BAT9", type="Battery", capacity="250", status="Discharging")
    assert read_battery(tmp_path) is None


def test_a_battery_in_joules_and_watts(tmp_path: Path) -> None:
    supply(
        tmp_path,
        "BAT0",
        type="Battery",
        capacity="60",
        status="Discharging",
        energy_now="50000000",
        power_now="-25000000",
    )
    assert read_battery(tmp_path) == WORKING


def test_what_is_not_told_stays_unknown(tmp_path: Path) -> None:
    supply(tmp_path, "BAT0", type="Battery", capacity="60", status="Charging")
    assert read_battery(tmp_path) == Battery(fraction=0.6, discharging=False, energy_j=None, power_w=None)


def test_low_and_nearly_empty_only_while_it_empties() -> None:
    low, empty = replace(WORKING, fraction=0.2), replace(WORKING, fraction=0.07)
    assert (low.is_low, low.is_nearly_empty) == (True, False)
    assert empty.is_nearly_empty
    assert not replace(WORKING, fraction=0.21).is_low
    assert not replace(empty, discharging=False).is_nearly_empty


def test_exams_left_come_from_measured_energy_alone() -> None:
    # 25 W over an hour is 90 kJ; ten exams cost 9 kJ each; 180 kJ are left
    assert exams_left(WORKING, exams=10, window_s=3600.0) == 20
    assert exams_left(WORKING, exams=2, window_s=3600.0) is None
    assert exams_left(WORKING, exams=10, window_s=599.0) is None
    for unknown in ("energy_j", "power_w"):
        assert exams_left(replace(WORKING, **{unknown: None}), exams=10, window_s=3600.0) is None
    assert exams_left(replace(WORKING, power_w=0.0), exams=10, window_s=3600.0) is None
    assert exams_left(replace(WORKING, discharging=False), exams=10, window_s=3600.0) is None


@pytest.mark.parametrize(
    ("landed_s", "now_s", "most", "expected"),
    [
        ((), 9000, 60, (0, 3600.0)),
        ((9100, 9200, 100), 9300, 60, (2, 3600.0)),
        ((500, 900), 1200, 60, (2, 1200.0)),  # the device runs for twenty minutes only
        ((9000, 9100, 9200), 9300, 3, (3, 300.0)),  # there may be more that nobody looked at
    ],
)
def test_the_window_is_an_hour_or_what_is_known(
    landed_s: tuple[int, ...], now_s: int, most: int, expected: tuple[int, float]
) -> None:
    landed_ns = tuple(second * 10**9 for second in landed_s)
    assert exams_in_window(landed_ns, now_ns=now_s * 10**9, most=most) == expected
