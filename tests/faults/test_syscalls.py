# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A part of the system calls of one acquisition, failing in each way and lying: recovered, and found out."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.loop_disk import LoopDisk, why_not
from benchmarks.faults.sources import Sources
from benchmarks.faults.syscalls import DISK_MIB, LIES, Bench
from benchmarks.faults.zygote import Zygote

pytestmark = [
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here"),
    pytest.mark.timeout(300),
]
SEED = 3
HONEST = 10
LYING = 5
FEWEST_CALLS = 300
"""Fewer would mean that something of the way is not looked at."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("syscalls")
    sources = Sources(folder / "sources")
    image = folder / "image.dcm"
    image.write_bytes(next(iter(sources)))
    with Zygote(sources.first) as zygote, LoopDisk(folder / "disk", size_mib=DISK_MIB) as disk:
        yield Bench(folder, disk, zygote, image)


def test_a_part_of_all_calls_and_faults(bench: Bench) -> None:
    calls = bench.calls()
    assert len(calls) > FEWEST_CALLS
    assert calls == bench.calls(), "the same work makes the same calls"
    points = bench.points(calls)
    chance = random.Random(SEED)
    honest = chance.sample([point for point in points if point.fault not in LIES], HONEST)
    lying = chance.sample([point for point in points if point.fault in LIES], LYING)
    assert [words for point in honest + lying for words in bench.try_one(point)] == []
