# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.simulation import report
from appliance.simulation.comparison import BY_SCORE, FIRST_COME, Comparison, Estimate, compare, fair
from appliance.simulation.department import EMERGENCY, FindingModel, draw

EVIL = '=HYPERLINK("x")<script>'


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    department = replace(EMERGENCY, findings=(*EMERGENCY.findings, FindingModel(name=EVIL, prevalence=0.1)))
    return compare(
        lambda random: draw(department, 1500, random),
        source="the exams of a test",
        readers=EMERGENCY.readers,
        orders=(FIRST_COME, BY_SCORE, fair(45), fair(90)),
        runs=2,
        seed=1,
    )


def test_everything_is_written_and_twice_the_same(comparison: Comparison, tmp_path: Path) -> None:
    files = report.write(comparison, tmp_path / "one" / "more")
    assert sorted(file.name for file in files) == [
        "choice.png",
        "curves.png",
        "index.html",
        "waits.csv",
        "waits.png",
    ]
    again = report.write(comparison, tmp_path / "two")
    for file, other in zip(files, again, strict=True):
        assert file.read_bytes() == other.read_bytes(), file.name
    for file in files:
        if file.suffix == ".png":
            assert file.read_bytes().startswith(b"\x89PNG")


def test_the_page_is_whole_and_runs_nothing(comparison: Comparison, tmp_path: Path) -> None:
    report.write(comparison, tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    assert "<script" not in page
    assert 'src="' not in page
    assert 'href="http' not in page
    assert "=HYPERLINK(" in page
    assert "the AI does not look for it" in page


def test_no_spreadsheet_runs_the_table(comparison: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(report.as_csv(comparison))))
    assert {row["order"] for row in rows} == {"first come", "by score", "fair, 45 min", "fair, 90 min"}
    assert f"'{EVIL}" in {row["group"] for row in rows}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert {row["ceiling_min"] for row in rows} == {"0.0", "", "45.0", "90.0"}


def test_lines_say_the_numbers_of_the_comparison(comparison: Comparison) -> None:
    line = next(line for line in report.lines(comparison) if line["group"] == "everybody")
    group = comparison.orders[0].group("everybody")
    assert line["mean_min"] == round(group.mean_min.value, 2)
    assert line["worst_low_min"] <= line["worst_min"] <= line["worst_high_min"] <= line["longest_min"]
    assert tuple(line) == report.COLUMNS


def test_an_interval_is_said_where_there_is_one() -> None:
    assert report.words(Estimate(value=1.26, low=1.0, high=2.0)) == "1.3 (1.0 to 2.0)"
    assert report.words(Estimate(value=1.26, low=None, high=None), 0) == "1"
