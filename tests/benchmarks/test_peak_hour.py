# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from benchmarks.hour_table import hour_table
from benchmarks.peak_hour import arrival_times
from benchmarks.report import Measured


def test_as_many_come_as_the_rate_expects_within_the_time() -> None:
    times = arrival_times(120.0, 600.0, np.random.default_rng(1))
    assert len(times) == 20
    assert times == sorted(times)
    assert min(times) >= 0
    assert max(times) <= 600
    assert np.std(np.diff(times)) > 10, "they do not come in step"
    assert len(arrival_times(30.0, 1.0, np.random.default_rng(1))) == 1


def test_what_came_late_and_what_waits_is_shown(whole_run: Measured) -> None:
    assert whole_run.peak_hour is not None
    words = hour_table(json.loads(json.dumps(asdict(whole_run.peak_hour)))).markdown()
    assert (
        "| x 1.5, radiographs | 4 | **1** | 0.00 / 0.00 / 0.00 (3) | none | 3, denoise 2 | longer than"
        in words
    )
    assert "not told by this machine" in words
