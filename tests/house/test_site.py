# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The documents build as a site, strictly; every page is in its menu, and nothing is fetched."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FETCHED = re.compile(
    r"<(?:script|img|iframe|source)[^>]+src=\"https?:|<link[^>]+href=\"https?:|@import|url\(\"?https?:"
)
"""What a browser would load by itself; a link that somebody clicks is none."""

needs_builder = pytest.mark.skipif(
    importlib.util.find_spec("properdocs") is None, reason="properdocs is not installed (make setup)"
)


def build(repository: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "properdocs", "build", "--strict"]
    return subprocess.run(
        [*command, "--config-file", str(repository / "mkdocs.yml"), "--site-dir", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def not_in_menu(menu: str, pages: list[str]) -> list[str]:
    """Pages that nobody would find."""
    named = set(re.findall(r": ([\w/.\-]+\.md)$", menu, re.MULTILINE))
    return [page for page in pages if page not in named]


@needs_builder
def test_it_builds_strictly_and_fetches_nothing(repository: Path, tmp_path: Path) -> None:
    done = build(repository, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 40
    loads = {page.name: hit[0] for page in pages if (hit := FETCHED.search(page.read_text(encoding="utf-8")))}
    assert loads == {}
    assert (tmp_path / "site" / "search" / "search_index.json").is_file()


@needs_builder
def test_a_broken_link_and_a_broken_anchor_stop_it(repository: Path, tmp_path: Path) -> None:
    for name in ("packaging/docs", "docs"):
        shutil.copytree(repository / name, tmp_path / name, ignore=shutil.ignore_patterns("*.png"))
    shutil.copyfile(repository / "mkdocs.yml", tmp_path / "mkdocs.yml")
    (tmp_path / "docs" / "first-try.md").write_text(
        "# A\n[x](gone.md)\n[y](kiosk.md#gone)\n", encoding="utf-8"
    )
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "gone.md" in done.stderr
    assert "#gone" in done.stderr


def test_every_page_is_in_the_menu(repository: Path) -> None:
    menu = (repository / "mkdocs.yml").read_text(encoding="utf-8")
    docs = repository / "docs"
    pages = [page.relative_to(docs).as_posix() for page in sorted(docs.rglob("*.md"))]
    assert not_in_menu(menu, pages) == []


def test_a_page_that_nobody_finds_is_seen() -> None:
    assert not_in_menu("nav:\n  - A: a.md\n", ["a.md", "b/c.md"]) == ["b/c.md"]
