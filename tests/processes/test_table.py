# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every row of the process table can be started by its name."""

from __future__ import annotations

import importlib

import pytest

from appliance.config import Settings
from appliance.processes.table import (
    EVERY_ROW,
    KEEPER,
    PROCESSES,
    SIGNALS,
    WORKLIST,
    ProcessRow,
    device_event_receivers,
    rows_for,
)
from appliance.receivers import SenderSettings, WebhookSettings
from appliance.settings_for_people import LightSettings
from appliance.worklist import WorklistSettings


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: row.name)
def test_every_process_has_its_module_and_its_loop(row: ProcessRow) -> None:
    module = importlib.import_module(f"appliance.processes.{row.name}")
    assert callable(getattr(module, f"run_{row.name}"))
    assert row.name == module.NAME


def told(*, device_events: bool) -> Settings:
    ward = WebhookSettings(name="ward", url="https://example.org/", device_events=device_events)
    return Settings(sender=SenderSettings(webhooks=(ward,)))


def test_signals_run_only_where_somebody_sees_or_hears_them() -> None:
    assert rows_for(Settings()) == (*PROCESSES, KEEPER)
    assert rows_for(told(device_events=False)) == (*PROCESSES, KEEPER)
    assert rows_for(told(device_events=True)) == (*PROCESSES, KEEPER, SIGNALS)
    assert device_event_receivers(told(device_events=True)) == ("ward",)
    assert rows_for(Settings(worklist=WorklistSettings(host="127.0.0.1"))) == (*PROCESSES, KEEPER, WORKLIST)
    assert rows_for(Settings(light=LightSettings(kind="gpio", red_pin=22)))[-1] is SIGNALS
