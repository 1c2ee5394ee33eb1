# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""No file is read before it is whole, and none that is whole is missed: the real watcher, in real time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.faults import partial_files
from benchmarks.faults.intake_site import Site

WRITERS = 60
PAUSE_S = 3.0
CUT_EVERY = 8
"""Of the places where the full run cuts."""


def test_a_file_that_ends_early_is_never_whole(tmp_path: Path) -> None:
    counts = partial_files.cut_everywhere(tmp_path)
    assert counts["said_whole"] == []
    assert counts["whole_missed"] == []
    assert set(counts["cuts"]) == {"plain", "implicit", "deflated", "compressed"}
    assert min(counts["cuts"].values()) > 100


@pytest.mark.timeout(120)
def test_writers_in_their_own_time(tmp_path: Path) -> None:
    chance = random.Random(5)
    with Site(tmp_path) as site:
        writers = partial_files.draw_writers(site.layout.inbox, range(WRITERS), chance)
        partial_files.let_write(site, writers, chance, longest_pause_s=PAUSE_S)
        counts = partial_files.judge(site, writers)
    assert set(counts["manners"]) == set(partial_files.MANNERS)
    assert counts["early"] == 0, counts
    assert counts["missed"] == 0, counts


@pytest.mark.timeout(120)
def test_what_stays_cut_is_set_aside_and_taken_when_its_rest_comes(tmp_path: Path) -> None:
    with Site(tmp_path, SCANSIDE__INTAKE__TRUNCATED_AFTER_S="1") as site:
        counts = partial_files.truncated_for_ever(site, every=CUT_EVERY)
    assert counts["set_aside"] == counts["taken_when_whole"] == counts["cuts"] > 10
