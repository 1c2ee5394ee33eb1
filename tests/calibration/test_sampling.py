# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A sample is stratified, the same for the same seed, and a set that reads back."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from appliance.errors import InputError
from calibration.dataset import CalibrationSet
from calibration.sampling import make_set, read_table, sample
from tests.set_parts import picture, table


def rows(common: int = 90, rare: int = 4) -> list[dict[str, str]]:
    return [
        {"file": f"{index}.png", "group": str(index), "scanner": scanner, "view": "PA", "kvp": "120"}
        for index, scanner in enumerate(["A"] * common + ["B"] * rare)
    ]


def test_a_rare_scanner_gets_its_turn() -> None:
    counts = Counter(row["scanner"] for row in sample(rows(), count=10, seed=1))
    assert counts == {"A": 6, "B": 4}


def test_the_seed_decides() -> None:
    first, again, other = (sample(rows(), count=10, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(sample(rows(), count=500, seed=1)) == 94


def test_voltages_are_taken_in_bands() -> None:
    with pytest.raises(InputError, match=r"kvp of 0\.png is 'x'"):
        sample([{"file": "0.png", "group": "a", "kvp": "x"}], count=1, seed=1)


def test_a_set_that_cannot_be_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "0.png", seed=1)
    with pytest.raises(InputError, match="cannot be made"):
        make_set(tmp_path / "images", rows(), tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_files_outside_the_folder_are_not_taken(tmp_path: Path) -> None:
    picture(tmp_path / "outside.png", seed=1)
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="leaves the folder"):
        make_set(tmp_path / "images", [{"file": "../outside.png", "group": "a"}], tmp_path / "set")


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "0.png", seed=1)
    with pytest.raises(InputError, match="is not empty"):
        make_set(tmp_path, [], tmp_path / "set")
    assert (tmp_path / "set" / "0.png").exists()


def test_the_command_makes_a_set_and_says_what_is_in_it(tmp_path: Path) -> None:
    for index in range(4):
        picture(tmp_path / "images" / f"{index}.png", seed=index)
    table(tmp_path / "films.csv", rows(common=3, rare=1))
    words = [str(tmp_path / name) for name in ("images", "films.csv", "set")]
    done = subprocess.run(
        [sys.executable, "-m", "calibration.sampling", *words, "--count", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = CalibrationSet.read(tmp_path / "set")
    assert {entry.scanner for entry in found.entries} == {"A", "B"}
    assert found.manifest_sha256 in done.stdout
    assert "scanner: A 1, B 1" in done.stdout


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text("file,group\na.png\n", encoding="utf-8")
    with pytest.raises(InputError, match="different lengths"):
        read_table(tmp_path / "films.csv")
