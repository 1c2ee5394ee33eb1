# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import pytest

from appliance.errors import ConfigError
from appliance.simulation.readers import Readers, day_and_night


def test_day_and_night() -> None:
    assert day_and_night(2, 1, begins=8, ends=20) == (1,) * 8 + (2,) * 12 + (1,) * 4
    assert day_and_night(2, 0, begins=22, ends=6) == (2,) * 6 + (0,) * 16 + (2,) * 2
    assert day_and_night(1, 0, begins=6, ends=0) == (0,) * 6 + (1,) * 18
    assert day_and_night(1, 0, begins=0, ends=24) == (1,) * 24


def test_a_reader_comes_back_at_the_full_hour() -> None:
    readers = Readers(by_hour=day_and_night(2, 1, begins=8, ends=20), reading_min=1, reading_spread=0)
    assert readers.next_at_work_s(0, 100.0) == 100.0
    assert readers.next_at_work_s(1, 100.0) == 8 * 3600.0
    assert readers.next_at_work_s(1, 20 * 3600.0) == 32 * 3600.0
    assert readers.next_at_work_s(2, 0.0) == math.inf


def test_somebody_has_to_read() -> None:
    with pytest.raises(ConfigError, match="Nobody reads"):
        Readers(by_hour=(0,) * 24, reading_min=1, reading_spread=0)
    with pytest.raises(ConfigError, match="a day or a week"):
        Readers(by_hour=(1,) * 12, reading_min=1, reading_spread=0)


def test_readings_have_the_mean_and_the_spread_that_were_asked_for() -> None:
    readers = Readers(by_hour=(1,) * 24, reading_min=4, reading_spread=0.8)
    drawn_min = readers.reading_s(200_000, np.random.default_rng(3)) / 60
    assert float(drawn_min.mean()) == pytest.approx(4, rel=0.02)
    assert float(drawn_min.std()) == pytest.approx(3.2, rel=0.05)
    assert drawn_min.min() > 0
