# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from appliance.clock import SystemClock
from benchmarks.kiosk_commit import measure_commit_to_screen


def test_a_commit_is_followed_by_a_painting_in_another_process(tmp_path: Path) -> None:
    spread = measure_commit_to_screen(tmp_path, SystemClock(), rounds=4)
    assert spread.n == 4
    assert 0 < spread.p50 <= spread.max < 5000
