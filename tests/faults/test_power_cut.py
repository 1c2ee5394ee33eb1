# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Real power cuts under the product's line: what was acknowledged is there, and the harness is not blind."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults.loop_disk import why_not
from benchmarks.faults.power_cut import Tally, cut_often
from benchmarks.faults.sources import Sources
from benchmarks.faults.zygote import Zygote

pytestmark = [
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.timeout(300),
]
SEED = 5
CUTS = 3
CUTS_OF_CONTROL = 6
"""At most: the first loss ends a control."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return Sources(tmp_path_factory.mktemp("sources"))


def test_nothing_that_was_acknowledged_is_lost_torn_or_corrupt(sources: Sources, tmp_path: Path) -> None:
    tally = Tally()
    with Zygote(sources.first) as zygote:
        cut_often(zygote, sources, tmp_path / "disk", tally, cuts=CUTS, seed=SEED)
    assert tally.sentences == []
    assert tally.cuts == CUTS
    assert set(tally.acknowledged) >= {"landed", "answered", "sent"}


def test_without_a_protection_something_is_lost(sources: Sources, tmp_path: Path) -> None:
    with Zygote(sources.first) as zygote:
        for control, loss in (("normal", "lost"), ("no_fsync", "torn")):
            tally = Tally()
            folder = tmp_path / control
            cut_often(zygote, sources, folder, tally, cuts=CUTS_OF_CONTROL, seed=SEED, without=control)
            assert tally.found[loss], control
