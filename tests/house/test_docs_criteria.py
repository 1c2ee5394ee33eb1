# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""docs/quality-criteria.md explains every criterion that a task can name, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

FilesOf = Callable[[Path], list[Path]]


def criteria_of(sources: list[str]) -> set[str]:
    """Criteria in Python sources: constants given to a parameter of the name `criterion`."""
    trees = [ast.parse(source) for source in sources]
    makers = {"QualityCheck"}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and [arg.arg for arg in node.args.args[:1]] == ["criterion"]:
                makers.add(node.name)
    found = set()
    for tree in trees:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            given = [keyword.value for keyword in node.keywords if keyword.arg == "criterion"]
            if isinstance(node.func, ast.Name) and node.func.id in makers:
                given += node.args[:1]
            found |= {
                value.value
                for value in given
                if isinstance(value, ast.Constant) and isinstance(value.value, str)
            }
    return found


def explained(page: str) -> set[str]:
    """The criteria that the page's tables have a row for."""
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}


def test_every_criterion_is_explained(repository: Path, files_of: FilesOf) -> None:
    tasks = repository / "appliance" / "tasks"
    sources = [
        path.read_text(encoding="utf-8")
        for path in files_of(repository)
        if path.suffix == ".py" and tasks in path.parents
    ]
    page = (repository / "docs" / "quality-criteria.md").read_text(encoding="utf-8")
    assert criteria_of(sources) == explained(page)


def test_criteria_are_found_however_they_are_given() -> None:
    sources = [
        "def at_most(criterion: str, value: float) -> None: ...\n",
        "at_most('noise', 3.0)\nQualityCheck(criterion='sharpness')\nother('word')\n",
    ]
    assert criteria_of(sources) == {"noise", "sharpness"}


def test_only_rows_of_criteria_count() -> None:
    assert explained("| `noise`, `motion` | how |\n| OK | `value` |\n") == {"noise", "motion"}
