# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from ui import theme
from ui.latency_files import MAX_BYTES, LatencyFile, read_latency_files
from ui.latency_state import LatencyState, being_read, latency_state
from ui.latency_table import LatencyTable
from ui.theme import Scale

SPREAD = {"n": 15, "p50": 280.1, "p95": 323.7, "p99": 332.8, "max": 335.1}
CONTENT: dict[str, Any] = {
    "format": 1,
    "quick": False,
    "machine": {"cpu": "A processor", "cores": 2, "memory_bytes": 8 * 1024**3},
    "latency_ms": {
        "dx_raw": {
            "quality": SPREAD,
            "naive_quality": SPREAD,
            "stages": {"quality.decoded": {**SPREAD, "p50": 8.5}, "triage.inferred": "damaged"},
        }
    },
}


def page(content: Any, *, is_here: bool = True) -> LatencyState:
    file = LatencyFile(name="run.json", is_here=is_here, written_at_utc=None, content=content)
    return latency_state((file,))


def test_whole_and_stages_in_words_with_all_four_numbers() -> None:
    (report,) = page(CONTENT).reports
    assert report.machine == "A processor, 2 cores, 8 GiB memory"
    (target,) = report.targets
    assert [(row.name, row.is_whole) for row in target.rows] == [
        ("Check, whole", True),
        ("Check: decoded", False),
    ]
    row = target.rows[0]
    assert (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms) == (280.1, 323.7, 332.8, 335.1)
    assert target.most_ms == 335.1


def test_where_it_was_measured_is_said() -> None:
    here = page(CONTENT)
    assert here.reports[0].where.startswith("Measured on this device")
    assert "No measurements came with this software." in here.messages
    elsewhere = page(CONTENT, is_here=False)
    assert elsewhere.reports[0].where.startswith("Measured on another machine")
    assert "Nothing was measured on this device yet." in elsewhere.messages
    assert "quick run" in page({**CONTENT, "quick": True}).reports[0].where
    assert being_read().reports == ()


@pytest.mark.parametrize("content", [None, {}, {"format": 2}])
def test_a_file_of_another_kind_is_named_and_not_guessed(content: Any) -> None:
    shown = page(content)
    assert shown.reports == ()
    assert "run.json cannot be read." in shown.messages


@pytest.mark.parametrize("bad", [None, "x", -1.0, float("nan"), float("inf"), [1]])
def test_a_row_without_its_numbers_is_left_out(bad: Any) -> None:
    content = {**CONTENT, "latency_ms": {"dx": {"quality": {**SPREAD, "p99": bad}, "triage": SPREAD}}}
    assert [row.name for row in page(content).reports[0].targets[0].rows] == ["AI, whole"]
    for latencies in (None, [], {"dx": None}, {"dx": {}}, {"dx": {"quality": {**SPREAD, "p99": bad}}}):
        assert page({**CONTENT, "latency_ms": latencies}).reports == ()
    assert "not recorded" in page({**CONTENT, "machine": bad}).reports[0].machine


def test_the_shipped_files_can_be_read_and_those_of_this_device_come_first(tmp_path: Path) -> None:
    shipped = read_latency_files(tmp_path)
    assert shipped
    assert not any(file.is_here for file in shipped)
    reports = latency_state(shipped).reports
    assert {target.name for report in reports for target in report.targets} >= {"dx raw", "ct denoise"}
    folder = tmp_path / "bench"
    folder.mkdir()
    (folder / "own.json").write_text(json.dumps(CONTENT))
    (folder / "torn.json").write_text('{"format": 1, "lat')
    (folder / "vast.json").write_bytes(b" " * (MAX_BYTES + 1))
    files = read_latency_files(folder)
    assert [file.name for file in files[:3]] == ["own.json", "torn.json", "vast.json"]
    assert all(file.is_here for file in files[:3])
    assert files[0].written_at_utc is not None
    assert [file.content for file in files[1:3]] == [None, None]


def test_the_table_draws_bars_and_says_its_numbers(qtbot: QtBot) -> None:
    widget = LatencyTable(page(CONTENT).reports[0].targets[0], Scale(px_per_mm=5.0))
    qtbot.addWidget(widget)
    widget.resize(900, widget.height())
    image = widget.grab().toImage()
    row = image.height() // 2  # the whole check: its bar is bright up to p50
    colours = [image.pixelColor(x, row).name() for x in range(image.width())]
    bright = colours.count(QColor(theme.BLUE).name())
    assert bright == pytest.approx(280.1 / 335.1 * 0.30 * 900, rel=0.05)
    assert "Check, whole 280 / 324 / 333 / 335 ms" in widget.accessibleDescription()
