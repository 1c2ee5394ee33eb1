# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The document on performance tells of runs, word for word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.report import Measured, as_json
from benchmarks.tables import RESULTS, as_markdown, put_into

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
BLOCK = re.compile(r"<!-- run: (?P<name>[\w.-]+) -->\n(?P<tables>.*?)<!-- end of run -->", re.DOTALL)


def blocks() -> dict[str, str]:
    """Tables of the document, by the run that they tell of."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return {match["name"]: match["tables"].strip() for match in BLOCK.finditer(text)}


@pytest.mark.parametrize("run", sorted(RESULTS.glob("*.json")), ids=lambda path: path.name)
def test_the_document_tells_of_every_run_that_is_kept(run: Path) -> None:
    report = json.loads(run.read_text(encoding="utf-8"))
    assert not report["quick"], "short runs are for ratios on busy machines, not for documents"
    assert blocks()[run.name] == as_markdown(report).strip()


def test_the_document_tells_of_no_other_run() -> None:
    assert set(blocks()) == {path.name for path in RESULTS.glob("*.json")}


def test_the_tables_say_what_was_measured(whole_run: Measured) -> None:
    tables = as_markdown(as_json(whole_run))
    for words in (
        "| dx_raw | 2 / 3 / 3 / 3 | 2 / 3 / 3 / 3 | 2 | **5.0** | 4.5 | 3.0 |",
        "| dx_raw | decoded 2, painted 2 |  |  | decode 2 |",
        "| **painted, from the close** | 2.0 | 2.9 | 3.0 | 3.0 |",
        "| first denoised slice | 2 / 3 / 3 / 3 | 2 | **3.5** | 2.5 |",
        "| kiosk | 150 | 0.50 |",
        "| answered / failed lanes / lost | 9 / 0 / 1 |",
        "| gaussian | 26.00 | 0.700 | 21.0 | 0.90 | sigma_px 0.8 |",
        "| dncnn17 ort fp32 | 2.0 / 3.0 | 2.0 | 80.00 | **80.00** |",
        "| quality of RED-CNN | nobody trained it |",
        "| worker rss_bytes | 90.0 MiB | +2.0 MiB | -1.0 to +4.0 MiB |",
    ):
        assert words in tables


def test_only_the_block_of_the_run_changes() -> None:
    document = "a\n<!-- run: x.json -->\nold\n<!-- end of run -->\nb\n"
    document += "<!-- run: y.json -->\nkept\n<!-- end of run -->\n"
    filled = put_into(document, name="x.json", tables="new\n")
    assert filled == document.replace("old\n", "\nnew\n\n")
    with pytest.raises(ValueError, match=r"z\.json"):
        put_into(document, name="z.json", tables="new\n")
