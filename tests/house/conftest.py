# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the house's guards look at: the repository's own files, or a small tree made to be refused."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

FilesOf = Callable[[Path], list[Path]]
PlantTree = Callable[[dict[str, str]], Path]


def _files_of(root: Path) -> list[Path]:
    """All files that belong to the tree: what git tracks or would, or simply all where there is no git."""
    if not (root / ".git").exists():
        return sorted(path for path in root.rglob("*") if path.is_file())
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
    )
    names = [name.decode("utf-8") for name in listing.stdout.split(b"\0") if name]
    return sorted({root / name for name in names if (root / name).is_file()})


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of this repository."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def files_of() -> FilesOf:
    """A function: the files of a tree."""
    return _files_of


@pytest.fixture
def plant(tmp_path: Path) -> PlantTree:
    """A function: makes a small tree with these files, for a guard to refuse."""

    def plant_tree(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return plant_tree
