# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/which-box.md calls measured here is what the kept runs hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
RESULTS = REPOSITORY / "benchmarks" / "results"
PAGE = REPOSITORY / "docs" / "which-box.md"
NAMES = {
    "dx_raw": "uncompressed",
    "dx_jpeg_lossless": "JPEG lossless",
    "dx_jpeg_ls": "JPEG-LS",
    "dx_htj2k": "HTJ2K",
    "dx_j2k": "JPEG 2000",
}


def run(name: str) -> Any:
    return json.loads((RESULTS / f"epyc-2-{name}.json").read_text(encoding="utf-8"))


def pair(times: dict[str, float], *, per: float = 1.0, digits: int = 0) -> str:
    return " / ".join(f"{times[key] / per:,.{digits}f}" for key in ("p50", "p95"))


def rows() -> Iterator[str]:
    """Every line of the tables that are ours."""
    radiographs = run("radiographs")["latency_ms"]
    for key, name in NAMES.items():
        lanes = radiographs[key]
        yield f"| radiograph of 7.5 megapixels, {name} | {pair(lanes['quality'])} | {pair(lanes['triage'])} |"
    series = run("series")["latency_ms"]["ct_denoise"]
    yield f"| quality verdict | {pair(series['quality'], per=1000, digits=1)} |"
    yield f"| first denoised slice | {pair(series['first_slice'], per=1000, digits=1)} |"
    yield f"| the last of 200 | {pair(series['denoised'], per=1000, digits=1)} |"
    backlog = run("backlog")["backlog"]
    pace = backlog["files_per_second"]
    yield f"| {backlog['files']:,} small files at once | {pace:.0f} answered a second |"
    idle = run("idle")
    yield f"| from starting to a board that takes images | {idle['idle']['seconds_to_ready']:.1f} s |"
    memory = sum(idle["memory_mib"]["highest"].values())
    yield f"| resident memory of all processes at rest, shared pages counted in each | {memory:.0f} MiB |"


def absent(page: str) -> list[str]:
    """Measured lines that the page does not hold."""
    lines = set(page.splitlines())
    return [row for row in rows() if row not in lines]


def test_the_page_tells_what_was_measured() -> None:
    assert absent(PAGE.read_text(encoding="utf-8")) == []


def test_a_changed_figure_is_seen() -> None:
    page = PAGE.read_text(encoding="utf-8").replace("answered a second", "answered a minute")
    assert len(absent(page)) == 1


@pytest.mark.parametrize("words", ["Measured here", "Published by others", "not measured"])
def test_ours_and_theirs_are_kept_apart(words: str) -> None:
    assert words in PAGE.read_text(encoding="utf-8")
