# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import NS_PER_S, ManualClock
from benchmarks.arrival import SLOW_COPY_S, copy_slowly, rename_in
from benchmarks.studies import Study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    folder = tmp_path / "arrivals"
    folder.mkdir()
    files = tuple(folder / f"{number}.dcm" for number in range(5))
    for number, path in enumerate(files):
        path.write_bytes(bytes([number]) * 1000)
    return Study(files=files, study_instance_uid="1.2.3")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("deliver", [rename_in, copy_slowly])
def test_everything_arrives_whole_and_nothing_else(study: Study, inbox: Path, deliver: object) -> None:
    assert callable(deliver)
    deliver(study, inbox, ManualClock())
    arrived = {path.name: path.read_bytes() for path in inbox.iterdir()}
    assert arrived == {path.name: path.read_bytes() for path in study.files}


def test_files_come_at_the_rate_that_was_asked_for(study: Study, inbox: Path) -> None:
    clock = ManualClock()
    start_ns = clock.monotonic_ns()
    assert rename_in(study, inbox, clock, per_s=40.0) - start_ns == round(4 / 40 * NS_PER_S)


def test_a_slow_copy_counts_from_its_close(study: Study, inbox: Path) -> None:
    clock = ManualClock()
    start_ns = clock.monotonic_ns()
    closed_ns = copy_slowly(study, inbox, clock)
    assert closed_ns == clock.monotonic_ns()
    assert closed_ns - start_ns == pytest.approx(5 * SLOW_COPY_S * NS_PER_S, rel=0.1)
