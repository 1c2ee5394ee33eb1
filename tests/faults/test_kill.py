# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of any process at any moment, and of all at once: nothing lost, nothing twice, nothing stuck."""

from __future__ import annotations

import random
import shutil
import time  # noqa: TID251  (processes die in real time)
from pathlib import Path

import apsw
import pytest

from appliance.layout import Layout
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import Identity, write_chest
from benchmarks.faults import kills
from benchmarks.faults.figure import Run
from benchmarks.faults.kill_check import Given, failures_of
from benchmarks.faults.kill_marks import Marks, read_marks
from tests.running import RunningAppliance

RADIOGRAPHS = 24
SLICES = 12
VICTIMS = ("watcher", "worker", "sender", "worker", "watcher")
KILLS = 8
SEED = 20260


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    for number in range(RADIOGRAPHS):
        write_chest(folder / f"chest_{number:02d}.dcm", identity=Identity(seed=number), rows=360, columns=300)
    write_ct(folder / "ct", CtPlan(slices=SLICES))
    return folder


# Trace: REQ-002
@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_stuck(studies: Path, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with RunningAppliance(tmp_path / "data") as appliance:
        killed = 0
        for number, study in enumerate(sorted(studies.iterdir())):
            copy = shutil.copytree if study.is_dir() else shutil.copyfile
            copy(study, appliance.layout.inbox / study.name)
            time.sleep(chance.uniform(0, 0.3))
            if number % 3 == 0 and killed < KILLS:
                appliance.kill(chance.choice(VICTIMS))
                killed += 1
            if number == RADIOGRAPHS // 2:
                appliance.kill_all_and_start_again()
        assert killed == KILLS
        lines = appliance.wait_for_answers(RADIOGRAPHS + 1, limit_s=200)
        assert len(lines) == RADIOGRAPHS + 1
        assert {line["status"] for line in lines} == {"done"}
        assert sorted(name for line in lines for name in map(base_name, line["files"])) == sorted(
            path.name for path in studies.rglob("*.dcm")
        )
        appliance.stop()
        store = apsw.Connection(str(appliance.layout.database))
        versions = dict(store.execute("SELECT acquisition_id, version FROM acquisition").fetchall())
        results = store.execute("SELECT acquisition_id, version, lane FROM result").fetchall()
        latest = [row for row in results if versions[row[0]] == row[1]]
        assert len(latest) == len(set(latest)) == 3 * len(versions)
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        store.close()
        assert not list(appliance.layout.spool.rglob("*.part"))


def base_name(path: str) -> str:
    return Path(path).name


@pytest.mark.timeout(300)
def test_a_kill_in_each_stage_of_the_pipeline(tmp_path: Path) -> None:
    if shutil.which("storescp") is None:
        pytest.skip("storescp is not installed (Debian package dcmtk)")
    run = Run(
        folder=tmp_path, report=tmp_path / "counts.json", amount=0.01, progress=lambda what, done, total: None
    )
    kills.run(run)
    counts = run.counted()
    assert counts["failures"] == []
    assert all(counts["histogram"][stage] >= 1 for stage in kills.every_stage())


def test_what_was_lost_or_left_lying_is_named(tmp_path: Path) -> None:
    with RunningAppliance(tmp_path / "data") as appliance:
        write_chest(appliance.layout.inbox / "chest.dcm", rows=360, columns=300)
        appliance.wait_for_answers(1)
    received = tmp_path / "received"
    received.mkdir()
    never = Given(study_instance_uid="1.2.3", sop_instance_uids=("1.2.3.4",))
    of_the_store = [words for words in failures_of(appliance.layout, received, []) if "in the store" in words]
    assert of_the_store == []
    lost = failures_of(appliance.layout, received, [never])
    assert "image 1.2.3.4 is in the store 0 times" in lost
    assert "study 1.2.3 makes 0 acquisitions" in lost
    assert "the receiver has no object 1.2.3.4" in lost
    assert any("jobs are queued" in words for words in _after(appliance.layout, received))


def _after(layout: Layout, received: Path) -> list[str]:
    store = apsw.Connection(str(layout.database))
    store.execute("UPDATE job SET state = 'queued' WHERE job_id = 1").fetchall()
    store.close()
    return failures_of(layout, received, [])


def test_marks_tell_where_a_process_died(tmp_path: Path) -> None:
    file = tmp_path / "marks"
    assert read_marks(file).died_in == "start"
    marks = Marks(file, None)
    with marks._stage("decoded", ()):
        pass
    assert read_marks(file).died_in == "between"
    assert list(read_marks(file).durations_s) == ["decoded"]
    with marks._stage("decoded", ()):
        assert read_marks(file).died_in == "decoded"
    marks.close()
