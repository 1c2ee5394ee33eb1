# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The one door: what the Makefile offers, that CI goes through it, and that its scripts are whole."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest


def test_help_names_every_target(repository: Path) -> None:
    targets = set(
        re.findall(
            r"^\.PHONY: ([a-z-]+)$", (repository / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    listing = subprocess.run(
        ["make", "-C", str(repository)], capture_output=True, text=True, check=True
    ).stdout
    assert targets >= {"setup", "demo", "test", "check", "fix", "lock", "bench-quick"}
    assert {line.split()[1] for line in listing.splitlines() if line.startswith("  make ")} == targets


def test_check_contains_the_tests_and_every_other_proof(repository: Path) -> None:
    plan = subprocess.run(
        ["make", "-C", str(repository), "--dry-run", "check"], capture_output=True, text=True, check=True
    ).stdout
    for part in ("ruff format --check", "ruff check", "mypy", "lint-imports", "reuse lint", "pytest"):
        assert part in plan, part


def test_ci_goes_through_the_same_door(repository: Path) -> None:
    run = repository / ".ci" / "run"
    lines = [
        line for line in run.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")
    ]
    assert run.stat().st_mode & 0o111
    assert lines[0] == "set -euo pipefail"
    assert lines[-1] == "exec make check"


def test_every_target_that_a_document_names_exists(repository: Path) -> None:
    known = set(
        re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for path in [*repository.glob("*.md"), *(repository / "docs").rglob("*.md")]:
        named = set(re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")))
        named |= set(re.findall(r"^make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert named - known == set(), path.name


def test_the_readme_begins_with_two_commands(repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme


@pytest.mark.parametrize("script", ["system_libraries.sh", "environment.sh", "lock.sh"])
def test_scripts_are_shell(script: str, repository: Path) -> None:
    path = repository / "packaging" / "setup" / script
    subprocess.run(["bash", "-n", str(path)], check=True)
    assert "\nset -euo pipefail\n" in path.read_text(encoding="utf-8")


def test_an_unknown_group_of_libraries_is_refused(repository: Path) -> None:
    script = repository / "packaging" / "setup" / "system_libraries.sh"
    answer = subprocess.run(["bash", str(script), "screens"], capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert "screen, peers or packages" in answer.stderr
