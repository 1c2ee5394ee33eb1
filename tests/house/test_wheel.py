# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The wheel, built and installed: it ships our five packages, their data, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

FilesOf = Callable[[Path], list[Path]]

OURS = frozenset(("appliance", "export", "calibration", "ui", "benchmarks"))


def top_level(names: list[str]) -> set[str]:
    """What would lie in site-packages, but for the distribution's own record."""
    return {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}


@pytest.fixture(scope="module")
def wheel(repository: Path, files_of: FilesOf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built from a copy so that nothing is left in it."""
    copy = tmp_path_factory.mktemp("wheel") / "source"
    for path in files_of(repository):
        target = copy / path.relative_to(repository)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    out = copy.parent / "dist"
    subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "--quiet",
                "--quiet",
                "--no-deps",
                "--no-build-isolation",
            ),
            *("--no-index", "--wheel-dir", str(out), str(copy)),
        ],
        check=True,
    )
    (built,) = out.glob("scanside-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh venv that holds the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--quiet", "--quiet", "--python", str(python)),
            *("install", "--no-deps", "--no-index", str(wheel)),
        ],
        check=True,
    )
    return python


def run(python: Path, *arguments: str, libraries: bool) -> subprocess.CompletedProcess[str]:
    """Run the fresh venv's Python; `libraries`: lend it this environment's installed packages."""
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    if libraries:
        # A path from PYTHONPATH reads no .pth files, so this tree's editable install stays out of it.
        environment["PYTHONPATH"] = sysconfig.get_path("purelib")
    return subprocess.run(
        [str(python), *arguments], env=environment, capture_output=True, text=True, cwd="/", check=False
    )


def test_it_ships_our_packages_and_nothing_else(wheel: Path) -> None:
    assert top_level(zipfile.ZipFile(wheel).namelist()) == OURS


def test_a_stray_package_would_be_seen() -> None:
    assert top_level(["ui/a.py", "tests/b.py", "scanside-1.dist-info/METADATA"]) == {"ui", "tests"}


def test_it_carries_every_data_file(wheel: Path, repository: Path, files_of: FilesOf) -> None:
    """Whatever lies in a package's folder in the tree lies in the wheel: a model, a migration, an icon."""
    shipped = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(repository).as_posix()
        for path in files_of(repository)
        if path.relative_to(repository).parts[0] in OURS and path.name != "README.md"
    }
    assert sorted(ours - shipped) == []


def test_it_imports_in_a_fresh_environment(installed: Path) -> None:
    answer = run(installed, "-c", "import appliance; print(appliance.__file__)", libraries=False)
    assert answer.returncode == 0, answer.stderr
    assert "site-packages" in answer.stdout


def test_its_command_starts(installed: Path, repository: Path) -> None:
    if not (repository / "appliance" / "cli.py").exists():
        pytest.skip("this tree has no command yet")
    command = installed.parent / "scanside"
    answer = run(installed, str(command), "--help", libraries=True)
    assert answer.returncode == 0, answer.stderr
    assert "scanside" in answer.stdout
