# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Patients' names stay where they belong: 50 invented people, in whole and broken files."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import SystemClock
from benchmarks.faults.canaries import Canary, leaks

CANARIES = 50


@pytest.mark.timeout(400)
def test_no_name_is_found_where_no_patient_belongs(tmp_path: Path) -> None:
    assert leaks(tmp_path, [Canary(number) for number in range(CANARIES)], SystemClock()) == []
