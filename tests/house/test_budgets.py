# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every number that the product promises stands in budgets.toml, with where it is measured."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIELDS = {"name", "promise", "limit", "unit", "bound", "measured"}
UNITS = {"s", "ms", "mm", "MB", "MiB", "%", "1"}
PROMISE = re.compile(r"(≤|≥)\s?[\d.]+|\bat (most|least) [\d.]+\s?(ms|s|MB|MiB|%|x|seconds?)\b", re.IGNORECASE)
"""How a promise reads in the documents: a bound and a number."""


def faults_of(root: Path, budgets: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the entries: fields, names, units, a measuring place that is not there."""
    found = []
    names = [budget.get("name") for budget in budgets]
    for budget in budgets:
        name = budget.get("name")
        if budget.keys() != FIELDS:
            found.append(f"{name}: fields {sorted(budget.keys() ^ FIELDS)}")
            continue
        if names.count(name) > 1:
            found.append(f"{name}: named twice")
        if budget["unit"] not in UNITS or budget["bound"] not in {"at most", "at least"}:
            found.append(f"{name}: unit {budget['unit']}, bound {budget['bound']}")
        place, _, value_path = budget["measured"].partition("::")
        if not place:
            continue
        body = (root / place).read_text(encoding="utf-8") if (root / place).exists() else None
        if body is None:
            found.append(f"{name}: there is no {place}")
        elif not value_path:
            found.append(f"{name}: {place} needs a test, or a place in the benchmark's report")
        elif place.startswith("tests/") and f"def {value_path}(" not in body:
            found.append(f"{name}: {place} has no {value_path}")
    return found


def unlisted(text: str, names: set[str]) -> list[str]:
    """Lines of a document that promise a number without naming its budget in backticks."""
    return [
        line.strip()
        for line in text.splitlines()
        if PROMISE.search(line) and not names & set(re.findall(r"`([a-z_0-9]+)`", line))
    ]


@pytest.fixture(scope="module")
def budgets(repository: Path) -> list[dict[str, Any]]:
    """The entries."""
    entries: list[dict[str, Any]] = tomllib.loads((repository / "budgets.toml").read_text(encoding="utf-8"))[
        "budget"
    ]
    return entries


def test_every_budget_is_whole(budgets: list[dict[str, Any]], repository: Path) -> None:
    assert budgets
    assert faults_of(repository, budgets) == []


def test_no_document_promises_an_unlisted_number(budgets: list[dict[str, Any]], repository: Path) -> None:
    names = {budget["name"] for budget in budgets}
    documents = [repository / "README.md", *sorted((repository / "docs").rglob("*.md"))]
    assert {path.name: unlisted(path.read_text(encoding="utf-8"), names) for path in documents} == {
        path.name: [] for path in documents
    }


def test_the_models_keep_their_size(budgets: list[dict[str, Any]], repository: Path) -> None:
    """The bundles travel by courier and mobile network."""
    limit = next(budget["limit"] for budget in budgets if budget["name"] == "shipped_models_size")
    shipped = (repository / "appliance" / "models_shipped").rglob("*")
    assert sum(path.stat().st_size for path in shipped if path.is_file()) / 1e6 <= limit


def test_faults_are_seen(tmp_path: Path) -> None:
    good = dict.fromkeys(FIELDS, "") | {"name": "a", "unit": "s", "bound": "at most"}
    assert faults_of(tmp_path, [good]) == []
    assert faults_of(tmp_path, [good, good]) == ["a: named twice"] * 2
    assert faults_of(tmp_path, [good | {"unit": "parsec"}]) == ["a: unit parsec, bound at most"]
    assert faults_of(tmp_path, [good | {"measured": "tests/gone.py::x"}]) == ["a: there is no tests/gone.py"]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_it(): ...\n", encoding="utf-8")
    assert faults_of(tmp_path, [good | {"measured": "tests/test_a.py::test_it"}]) == []
    assert faults_of(tmp_path, [good | {"measured": "tests/test_a.py::test_x"}]) == [
        "a: tests/test_a.py has no test_x"
    ]
    assert "needs a test" in faults_of(tmp_path, [good | {"measured": "tests/test_a.py"}])[0]
    assert faults_of(tmp_path, [{"name": "a"}])[0].startswith("a: fields")


def test_an_unlisted_promise_is_seen() -> None:
    text = "A verdict in ≤ 3 s.\nA verdict in ≤ 3 s (`verdict`).\nIt takes at most 5 ms.\nAt most once.\n"
    assert unlisted(text, {"verdict"}) == ["A verdict in ≤ 3 s.", "It takes at most 5 ms."]
