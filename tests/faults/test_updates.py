# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Changed updates and cut steps, the short run; `python -m benchmarks.faults updates` is the long one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from appliance.updates.choice import CHOICE, read_choice, write_choice
from benchmarks.faults.figure import Counts
from benchmarks.faults.update_bundles import tiny, version_of
from benchmarks.faults.update_changes import CHANGES, NEXT, Scene
from benchmarks.faults.update_cuts import NEW, OLD, boots, cut_everywhere, prepare
from benchmarks.faults.updates import Watch, change_some, device

NEEDS_STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tiny updates are made."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where devices are prepared, once for each step."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder to work in, and a device in it."""
    folder = tmp_path_factory.mktemp("figure")
    return folder, device(folder)


# Trace: REQ-057, REQ-058
def test_each_change_is_refused_before_anything_is_unpacked(served: tuple[Path, Path]) -> None:
    folder, root = served
    counts: Counts = {}
    assert change_some(folder, root, Watch(), counts, first=0, count=len(CHANGES)) == []
    assert counts["refused_by_kind"] == {change.__name__: 1 for change in CHANGES}


def test_an_update_that_is_as_it_was_made_counts_as_let_through(
    served: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figure can fail: what is changed into itself is installed, and said so."""

    def nothing(scene: Scene) -> None:
        shutil.copytree(tiny(NEXT, scene.good), scene.place)

    monkeypatch.setattr("benchmarks.faults.updates.CHANGES", (nothing,))
    folder, root = served
    counts: Counts = {}
    (failure,) = change_some(folder, root, Watch(), counts, first=0, count=1)
    assert failure == "nothing 00000: it was installed"
    assert counts["not_refused"] == 1


# Trace: REQ-059
@NEEDS_STRACE
def test_a_change_that_is_cut_leaves_the_old_software_or_the_new(bench: Path, made: Path) -> None:
    cuts, wrong = cut_everywhere(bench, "switch", made, every=2)
    assert cuts >= 3
    assert wrong == []


@NEEDS_STRACE
def test_an_installation_that_is_cut_is_not_there(bench: Path, made: Path) -> None:
    cuts, wrong = cut_everywhere(bench, "install", made, every=90)
    assert cuts >= 2
    assert wrong == []


def test_what_boots_is_known(bench: Path, made: Path) -> None:
    root = prepare(bench, "begin", made)
    assert boots(root) == version_of(NEW)
    choice = read_choice(root)
    assert choice is not None
    (root / CHOICE).unlink()
    assert boots(root) in {version_of(OLD), version_of(NEW)}
    write_choice(root, choice)
    shutil.rmtree(root / "slots" / "b")
    assert boots(root) == version_of(OLD)
    shutil.rmtree(root / "slots")
    assert boots(root) == ""
