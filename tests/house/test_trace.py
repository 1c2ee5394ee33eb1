# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every hazard has a requirement, every requirement a hazard and a test, and the page says what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trace_matrix import page_of, read_trace

HAZARD = """[[hazard]]
id = "HAZ-001"
hazard = "h"
sequence = "s"
harm = "x"
severity = "serious"
probability = "probable"
controls = ["REQ-001"]
residual = "remote"
"""
REQUIREMENT = '[[requirement]]\nid = "REQ-001"\ntext = "t"\n'
MARK = "# Trace" + ": "
TEST = f"{MARK}REQ-001\ndef test_it() -> None:\n    pass\n"


def test_nothing_is_orphaned(repository: Path) -> None:
    trace = read_trace(repository)
    assert trace.faults == ()
    assert len(trace.hazards) >= 30


def test_the_page_is_of_today(repository: Path) -> None:
    page = (repository / "docs" / "trace.md").read_text(encoding="utf-8")
    assert page == page_of(read_trace(repository)), "run make trace"


@pytest.mark.parametrize(
    ("hazards", "requirements", "test", "fault"),
    [
        (HAZARD, REQUIREMENT, TEST, None),
        (HAZARD.replace('["REQ-001"]', "[]"), REQUIREMENT, TEST, "HAZ-001: no requirement answers it"),
        (HAZARD.replace("REQ-001", "REQ-009"), REQUIREMENT, TEST, "HAZ-001: no such requirement: REQ-009"),
        (HAZARD, REQUIREMENT, "def test_it() -> None:\n    pass\n", "REQ-001: proved by no test"),
        (HAZARD, REQUIREMENT, TEST.replace("001", "001, REQ-008"), "REQ-008: no such requirement"),
        (
            HAZARD,
            REQUIREMENT + REQUIREMENT.replace("001", "002"),
            TEST.replace("001", "001, REQ-002"),
            "REQ-002: answers no hazard",
        ),
        (HAZARD, REQUIREMENT + REQUIREMENT, TEST, "REQ-001: stands twice"),
        (HAZARD.replace('"remote"', '"probable"'), REQUIREMENT, TEST, "HAZ-001: its controls lower nothing"),
        (HAZARD.replace('"serious"', '"bad"'), REQUIREMENT, TEST, "HAZ-001: not a word of its scale"),
        (HAZARD.replace('harm = "x"\n', ""), REQUIREMENT, TEST, "HAZ-001: keys missing or unknown"),
        (HAZARD, REQUIREMENT, f"{MARK}REQ-001\n\nX = 1\n" + TEST, "tests/test_a.py:1: a mark above no test"),
    ],
)
def test_an_orphan_is_seen(
    hazards: str, requirements: str, test: str, fault: str | None, tmp_path: Path
) -> None:
    for name, text in (
        ("docs/hazards.toml", hazards),
        ("docs/requirements.toml", requirements),
        ("tests/test_a.py", test),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    faults = read_trace(tmp_path).faults
    assert any(one.startswith(fault) for one in faults) if fault else not faults
