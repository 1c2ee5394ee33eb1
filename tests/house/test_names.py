# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Our five top-level names are ours alone, and the runtime parses on the oldest Python that is promised."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

FilesOf = Callable[[Path], list[Path]]
PlantTree = Callable[[dict[str, str]], Path]

OURS = frozenset(("appliance", "export", "calibration", "ui", "benchmarks"))
OLDEST_PYTHON = (3, 10)
"""JetPack 6's."""


def taken_names(owners: Mapping[str, list[str]]) -> list[str]:
    """Top-level names of ours that another installed distribution also brings."""
    return [
        f"{name}: {owner}"
        for name in sorted(OURS)
        for owner in sorted(set(owners.get(name, [])))
        if owner != "scanside"
    ]


def not_for_the_oldest_python(files: list[Path]) -> list[str]:
    """Python files with syntax that the oldest promised Python does not know."""
    found = []
    for path in files:
        try:
            ast.parse(path.read_text(encoding="utf-8"), feature_version=OLDEST_PYTHON)
        except SyntaxError as error:
            found.append(f"{path.name}:{error.lineno}: {error.msg}")
    return found


def test_no_installed_distribution_owns_our_names() -> None:
    assert taken_names(packages_distributions()) == []


def test_a_taken_name_is_seen() -> None:
    assert taken_names({"ui": ["scanside", "some-ui-kit"], "numpy": ["numpy"]}) == ["ui: some-ui-kit"]


def test_the_runtime_parses_on_the_oldest_python(repository: Path, files_of: FilesOf) -> None:
    runtime = [
        path
        for path in files_of(repository)
        if path.suffix == ".py" and path.relative_to(repository).parts[0] in {"appliance", "ui"}
    ]
    assert len(runtime) > len(OURS)
    assert not_for_the_oldest_python(runtime) == []


@pytest.mark.parametrize(
    "text", ["try:\n    pass\nexcept* OSError:\n    pass\n", "type Row = tuple[int, ...]\n"]
)
def test_newer_syntax_is_seen(text: str, plant: PlantTree, files_of: FilesOf) -> None:
    root = plant({"appliance/new.py": text})
    assert len(not_for_the_oldest_python(files_of(root))) == 1
