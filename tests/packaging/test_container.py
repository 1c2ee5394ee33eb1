# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The container file, as far as it can be judged without a daemon: all that it copies is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.test_constraints import pins_of

REPOSITORY = Path(__file__).resolve().parents[2]
FILE = REPOSITORY / "packaging" / "container" / "Dockerfile"
PAGE = REPOSITORY / "docs" / "install" / "container.md"
CONSTRAINTS = REPOSITORY / "packaging" / "constraints"
DATA = "/var/lib/scanside"


def instructions(text: str) -> list[tuple[str, str]]:
    """Keyword and rest of every instruction; comments gone, continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def copied(found: list[tuple[str, str]]) -> list[str]:
    """What is copied out of the repository."""
    return [
        source
        for word, rest in found
        if word == "COPY" and "--from=" not in rest
        for source in rest.split()[:-1]
    ]


def admitted(ignore: str) -> list[str]:
    """What .dockerignore lets through."""
    return [line[1:] for line in ignore.splitlines() if line.startswith("!")]


@pytest.fixture(scope="module")
def found() -> list[tuple[str, str]]:
    """The file's instructions."""
    return instructions(FILE.read_text(encoding="utf-8"))


def test_what_is_copied_is_there_and_gets_through(found: list[tuple[str, str]]) -> None:
    sources = [source.rstrip("/") for source in copied(found)]
    assert len(sources) > 5
    through = admitted((REPOSITORY / ".dockerignore").read_text(encoding="utf-8"))
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []
    assert sorted(set(sources) - set(through)) == []
    assert sorted(set(through) - set(sources)) == []


def test_every_image_is_named_by_who_builds(found: list[tuple[str, str]]) -> None:
    """No image of ours under another's licence, and none that changes by itself."""
    assert {rest.split()[0] for word, rest in found if word == "FROM"} == {"${BASE}"}
    assert ("ARG", "BASE") in found


def test_it_runs_as_nobody_of_importance(found: list[tuple[str, str]]) -> None:
    (user,) = [rest for word, rest in found if word == "USER"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert ("VOLUME", DATA) in found


def test_packages_come_from_locks_with_hashes(found: list[tuple[str, str]]) -> None:
    installs = [rest for word, rest in found if word == "RUN" and "pip install" in rest]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-index" in installs[1]


def test_every_build_command_of_the_page_names_locks_that_are_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    locks = re.findall(r"--build-arg (?:CUDA_)?LOCK=([\w.-]+)", page)
    assert set(locks) == {"run.txt", "run-py310.txt", "cuda12.txt", "cuda13.txt"}
    for lock in locks:
        assert pins_of((CONSTRAINTS / lock).read_text(encoding="utf-8"))


def test_a_file_that_is_gone_would_be_seen() -> None:
    text = "FROM a\nCOPY --from=build /x /y\nCOPY one \\\n    two /there/\n# COPY three /there/\n"
    assert copied(instructions(text)) == ["one", "two"]
