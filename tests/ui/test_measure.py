# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from appliance.clock import NS_PER_MS, SystemClock
from ui import measure
from ui.measure import list_numbers, memory_numbers, picture_numbers

REPOSITORY = Path(__file__).parents[2]


def test_every_step_is_painted_and_timed(full_clinic: Any, qtbot: QtBot) -> None:
    del qtbot
    numbers = picture_numbers(full_clinic.layout.data, SystemClock())
    assert {name: len(times) for name, times in numbers.items()} == {
        "open_cold_ms": 20,
        "open_kept_ms": 20,
        "pan_fit_ms": measure.DRAGS,
        "pan_large_ms": measure.DRAGS,
        "contrast_ms": measure.DRAGS,
        "zoom_ms": measure.DRAGS,
        "slice_first_pass_ms": 24,
        "slice_ms": 24,
    }
    assert min(min(times) for times in numbers.values()) > 0


def test_what_was_not_painted_is_no_measurement(
    full_clinic: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    del qtbot
    monkeypatch.setattr(measure, "_show", lambda _widget: None)  # as on a platform that exposes nothing
    with pytest.raises(RuntimeError, match="nothing was shown"):
        picture_numbers(full_clinic.layout.data, SystemClock())


def test_list_and_memory(full_clinic: Any, qtbot: QtBot) -> None:
    del qtbot
    data = full_clinic.layout.data
    assert set(list_numbers(data, SystemClock())) == {"rows_5000_ms", "read_store_ms", "make_state_ms"}
    numbers = memory_numbers(data, SystemClock(), switches=20)
    assert len(numbers["resident_mib"]) == 20
    assert numbers["resident_mib"][-1] > 10


def test_the_start_ends_when_the_list_is_painted(full_clinic: Any) -> None:
    clock = SystemClock()
    start_ms = clock.monotonic_ns() / NS_PER_MS
    done = subprocess.run(
        [sys.executable, "-m", "ui.measure", "start", "--data", str(full_clinic.layout.data)],
        cwd=REPOSITORY,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    (painted_ms,) = json.loads(done.stdout)["painted_at_monotonic_ms"]
    assert start_ms < painted_ms < clock.monotonic_ns() / NS_PER_MS
