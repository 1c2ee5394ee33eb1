# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

from ui.device_source import AGAIN_AFTER_S, DeviceSource
from ui.store_source import StoreSource


def test_the_machine_is_read_from_files_and_not_at_every_look(clinic: Any, tmp_path: Path) -> None:
    zone = tmp_path / "thermal" / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text("61000")
    source = DeviceSource(
        clinic.clock,
        peers=("PACS",),
        thermal=tmp_path / "thermal",
        power_supply=tmp_path / "none",
        timesync=tmp_path / "none",
    )
    first = source.read(clinic.database)
    assert first.temperature is not None
    assert (first.temperature.celsius, first.battery, first.network_time) == (61.0, None, None)
    assert [peer.name for peer in first.peers] == ["PACS"]
    assert first.disk_free_bytes
    (zone / "temp").write_text("75000")
    clinic.clock.advance(AGAIN_AFTER_S - 0.1)
    assert source.read(clinic.database) is first
    clinic.clock.advance(0.1)
    second = source.read(clinic.database).temperature
    assert second is not None
    assert second.celsius == 75.0


def test_a_reading_of_the_store_holds_the_machine(clinic: Any, tmp_path: Path) -> None:
    device = DeviceSource(clinic.clock, thermal=tmp_path / "none", power_supply=tmp_path / "none")
    with StoreSource(clinic.layout, clinic.clock, device=device) as source:
        record = source.read().health.device
    assert record is not None
    assert (record.temperature, record.battery, record.peers) == (None, None, ())
