# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Thermal zones as Linux shows them: a folder of files."""

from __future__ import annotations

from pathlib import Path

from appliance.monitor.thermal import HOT_C, read_temperature


def zone(root: Path, number: int, temp: str, kind: str = "cpu-thermal", **trips: str) -> None:
    folder = root / f"thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "temp").write_text(temp + "\n")
    (folder / "type").write_text(kind + "\n")
    for index, (name, limit) in enumerate(trips.items()):
        (folder / f"trip_point_{index}_type").write_text(name + "\n")
        (folder / f"trip_point_{index}_temp").write_text(limit + "\n")


def test_a_device_that_does_not_tell(tmp_path: Path) -> None:
    assert read_temperature(tmp_path / "absent") is None
    zone(tmp_path, 0, "no number")
    zone(tmp_path, 1, "-274000")
    assert read_temperature(tmp_path) is None


def test_the_zone_nearest_to_its_limit_counts(tmp_path: Path) -> None:
    zone(tmp_path, 0, "70000", "cpu-thermal")
    zone(tmp_path, 1, "55000", "gpu-thermal", critical="60000")
    found = read_temperature(tmp_path)
    assert found is not None
    assert (found.celsius, found.limit_c, found.zone, found.is_hot) == (55.0, 60.0, "gpu-thermal", False)


def test_hot_begins_at_the_limit(tmp_path: Path) -> None:
    zone(tmp_path, 0, f"{HOT_C * 1000 - 1:.0f}", passive="40000", critical="0")
    found = read_temperature(tmp_path)
    assert found is not None
    assert not found.is_hot
    (tmp_path / "thermal_zone0" / "temp").write_text(f"{HOT_C * 1000:.0f}")
    found = read_temperature(tmp_path)
    assert found is not None
    assert found.is_hot
