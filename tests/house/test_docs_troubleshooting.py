# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""docs/troubleshooting.md: every word of the screen, answer of the doctor, kind of error and exit code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import errors
from appliance.commands.say import _exit_code
from appliance.errors import DeliveryError, ExitCode, ScansideError
from appliance.processes.lock import AlreadyRunningError

DOCTORS = ("doctor.py", "neighbours.py", "settings_file.py")
SCREEN = ("health_state.py", "device_faults.py")
SHORTEST = 9
"""Shorter pieces of a message say nothing by themselves."""
SUBJECTS_OF_LOOPS = {"name": ("watcher", "worker", "sender"), "subject": ()}
"""Where the subject is a variable: what it may be; those of `subject` are found where it is assigned."""


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


def pieces(node: ast.expr) -> Iterator[str]:
    """The literal text of a string, with or without values in it."""
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def doctors_answers(source: str) -> tuple[set[str], set[str]]:
    """How subjects begin, and what is found, of every answer that is not always OK; also what is assigned."""
    subjects: set[str] = set()
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "subject":
            subjects.add(next(pieces(node.value)).strip())
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        values = {keyword.arg: keyword.value for keyword in node.keywords}
        if node.func.id == "_diagnosis":
            values |= dict(zip(("health", "found"), node.args, strict=False))
        elif node.func.id != "Diagnosis":
            continue
        if ast.unparse(values["health"]) == "Health.OK":
            continue
        subject = values.get("subject")
        if isinstance(subject, ast.Name):
            subjects.update(SUBJECTS_OF_LOOPS[subject.id])
        elif subject is not None:
            subjects.add(next(pieces(subject)).strip())
        found.update(
            piece for piece in pieces(values["found"]) if len(piece.strip()) >= SHORTEST and "%" not in piece
        )
    return subjects, found


def test_every_answer_of_the_doctor_is_there(repository: Path, page: str) -> None:
    subjects: set[str] = set()
    found: set[str] = set()
    for name in DOCTORS:
        more = doctors_answers((repository / "appliance" / "monitor" / name).read_text(encoding="utf-8"))
        subjects |= more[0]
        found |= more[1]
    assert {"disk", "store", "peer", "engine", "model", "settings", "worker"} <= subjects
    section = page.split("## What the doctor says")[1].split("\n## ", maxsplit=1)[0]
    first_cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = {re.split(r" [A-Z]", cell)[0] for row in first_cells for cell in re.findall(r"`([^`]+)`", row)}
    said = {f"DICOM {words}" for words in ("door", "port")}
    named = {subject for subject in named if subject != "DICOM"} | {
        one for one in said if f"`{one}" in section
    }
    assert subjects - named == set()
    assert named - subjects - {"kiosk"} == set()
    assert [piece for piece in sorted(found) if piece.strip(" ;,.:") not in section.replace("`", "")] == []


def test_every_word_of_the_screen_is_there(repository: Path, page: str) -> None:
    words: set[str] = set()
    for name in SCREEN:
        source = (repository / "ui" / name).read_text(encoding="utf-8")
        words |= {word.strip() for word in re.findall(r"tr\(\s*\"([A-Z]{2}[A-Z ]*?) ?(?:\{\w+\})?\"", source)}
    assert {"DISK", "SAFE MODE", "BATTERY"} <= words
    section = page.split("## What the screen says")[1].split("\n## ", maxsplit=1)[0]
    assert words - {"OK"} == set(re.findall(r"^\| ([A-Z][A-Z ]+) \|", section, re.MULTILINE))


def made(kind: type[ScansideError]) -> ScansideError:
    return kind("a", remedy="b", permanent=True) if issubclass(kind, DeliveryError) else kind("a", remedy="b")


def test_every_kind_of_error_is_there_with_its_exit_code(page: str) -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ScansideError)
    ]
    wanted = {
        kind.__name__: str(_exit_code(made(kind)))
        for kind in (*kinds, AlreadyRunningError)
        if kind is not ScansideError
    }
    rows = dict(re.findall(r"^\| `(\w+Error)` \|.*\| (\d+) \|$", page, re.MULTILINE))
    assert rows == wanted


def test_every_exit_code_is_there(page: str) -> None:
    section = page.split("## Exit codes")[1]
    codes = {code for name, code in vars(ExitCode).items() if name.isupper()}
    assert set(map(int, re.findall(r"^\| (\d+) \|", section, re.MULTILINE))) == codes


def test_an_answer_that_is_missing_is_seen() -> None:
    source = 'x = Diagnosis(subject=f"tap {n}", health=Health.FAIL, found=f"it drips {n} times an hour")'
    assert doctors_answers(source) == ({"tap"}, {" times an hour"})
    assert doctors_answers('x = Diagnosis(subject="y", health=Health.OK, found="all is quiet")') == (
        set(),
        set(),
    )
