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

from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import Identity, write_chest
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
