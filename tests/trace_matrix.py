# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From hazard to requirement to test: reads docs/hazards.toml, docs/requirements.toml and marks in tests.

`make trace` writes docs/trace.md. A mark is a comment right above a test or its decorators, for example
`Trace: REQ-001, REQ-002` behind a hash.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r"^\s*# Trace: (?P<ids>.+)$")
PROBABILITIES = ("improbable", "remote", "occasional", "probable")
SEVERITIES = ("minor", "serious", "critical")
HAZARD_KEYS = {"id", "hazard", "sequence", "harm", "severity", "probability", "controls", "residual"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything, as it stands in the files."""

    hazards: tuple[dict[str, Any], ...]
    requirements: dict[str, str]
    tests: dict[str, tuple[str, ...]]
    """Requirement to "tests/x.py::test_y", in order."""
    faults: tuple[str, ...]
    """What does not fit together, in words; empty: nothing."""


def marks_of(text: str, name: str) -> tuple[dict[str, list[str]], list[str]]:
    """Requirement to tests of one file, and marks that stand above no test."""
    starts: dict[int, str] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            starts[first] = node.name
    found: dict[str, list[str]] = {}
    stray = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = MARK.match(line)
        if match is None:
            continue
        test = starts.get(number + 1)
        if test is None:
            stray.append(f"{name}:{number}: a mark above no test")
            continue
        for requirement in match["ids"].split(","):
            found.setdefault(requirement.strip(), []).append(f"{name}::{test}")
    return found, stray


def read_trace(root: Path) -> Trace:
    """Read and judge."""
    hazards = _toml(root / "docs" / "hazards.toml")["hazard"]
    listed = _toml(root / "docs" / "requirements.toml")["requirement"]
    requirements = {one["id"]: one["text"] for one in listed}
    tests: dict[str, list[str]] = {}
    faults: list[str] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "# Trace: " not in text:
            continue
        found, stray = marks_of(text, path.relative_to(root).as_posix())
        faults += stray
        for requirement, names in found.items():
            tests.setdefault(requirement, []).extend(names)
    faults += _doubles([one["id"] for one in listed] + [one["id"] for one in hazards])
    faults += [fault for hazard in hazards for fault in _faults_of(hazard, requirements)]
    faults += [f"{one}: proved by no test" for one in requirements if one not in tests]
    faults += [
        f"{one}: no such requirement ({names[0]})" for one, names in tests.items() if one not in requirements
    ]
    controls = {one for hazard in hazards for one in hazard.get("controls", ())}
    faults += [f"{one}: answers no hazard" for one in requirements if one not in controls]
    return Trace(
        hazards=tuple(hazards),
        requirements=requirements,
        tests={one: tuple(names) for one, names in tests.items()},
        faults=tuple(faults),
    )


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _doubles(names: list[str]) -> list[str]:
    return [f"{name}: stands twice" for name in sorted(set(names)) if names.count(name) > 1]


def _faults_of(hazard: dict[str, Any], requirements: dict[str, str]) -> list[str]:
    name = hazard.get("id", "a hazard without id")
    if set(hazard) != HAZARD_KEYS:
        return [f"{name}: keys missing or unknown: {sorted(set(hazard) ^ HAZARD_KEYS)}"]
    faults = [f"{name}: no such requirement: {one}" for one in hazard["controls"] if one not in requirements]
    if not hazard["controls"]:
        faults.append(f"{name}: no requirement answers it")
    scales_hold = hazard["severity"] in SEVERITIES and {hazard["probability"], hazard["residual"]} <= set(
        PROBABILITIES
    )
    if not scales_hold:
        faults.append(f"{name}: not a word of its scale")
    elif PROBABILITIES.index(hazard["residual"]) >= PROBABILITIES.index(hazard["probability"]):
        faults.append(f"{name}: its controls lower nothing")
    return faults


def page_of(trace: Trace) -> str:
    """docs/trace.md."""
    proofs = {name for names in trace.tests.values() for name in names}
    counts = f"{len(trace.hazards)} hazards, {len(trace.requirements)} requirements, {len(proofs)} tests."
    lines = [
        "<!-- Made by `make trace`; change docs/hazards.toml, docs/requirements.toml or the tests. -->",
        "# From hazard to requirement to test",
        "",
        f"{counts} Probabilities are the authors' judgement, without data from the field.",
        "",
        "| hazard | sequence | harm | severity | before | controls | after |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['id']} {one['hazard']} | {one['sequence']} | {one['harm']} | {one['severity']} "
        f"| {one['probability']} | {', '.join(one['controls'])} | {one['residual']} |"
        for one in trace.hazards
    ]
    lines += ["", "| requirement | answers | proved by |", "|---|---|---|"]
    for requirement, text in trace.requirements.items():
        answers = ", ".join(one["id"] for one in trace.hazards if requirement in one["controls"])
        proved = "<br>".join(f"`{name}`" for name in trace.tests.get(requirement, ()))
        lines.append(f"| {requirement} {text} | {answers} | {proved} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page; 1 where something does not fit together."""
    trace = read_trace(ROOT)
    (ROOT / "docs" / "trace.md").write_text(page_of(trace), encoding="utf-8")
    print(f"docs/trace.md: {len(trace.hazards)} hazards, {len(trace.requirements)} requirements")
    for fault in trace.faults:
        print(fault)
    return 1 if trace.faults else 0


if __name__ == "__main__":
    sys.exit(main())
