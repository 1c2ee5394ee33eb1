# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from benchmarks.flame import drawn, flame_of

LINES = (
    "main (a.py:1);run_lane (line.py:42);infer (x.py:1) 30",
    "main (a.py:1);run_lane (line.py:48);infer (x.py:7);deep (y.py:2) 50",
    "main (a.py:1);run_lane (line.py:48);prepare (z.py:7) 20",
    "main (a.py:1);load (b.py:9) 400",
)


def test_samples_are_counted_below_the_lane_whatever_the_line() -> None:
    flame = flame_of(LINES)
    assert flame.samples == 100
    assert {name: child.samples for name, child in flame.below.items()} == {"infer": 80, "prepare": 20}
    assert flame.below["infer"].below["deep"].samples == 50
    words = [text.get_text() for text in drawn(flame).axes[0].texts]
    assert {"run_lane 100 %", "infer 80 %", "deep 50 %", "prepare 20 %"} == set(words)


def test_samples_of_something_else_are_said() -> None:
    with pytest.raises(ValueError, match="run_lane"):
        flame_of(["main (a.py:1) 5"])
