# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of the table: what is wrong first, never a word that all is well."""

from __future__ import annotations

from typing import Any

from appliance.commands.lines import (
    COLUMNS,
    denoise_words,
    quality_words,
    say_lines,
    table_row,
    triage_words,
)
from appliance.pipeline.report import set_aside_line


def line(**known: Any) -> dict[str, Any]:
    plain = set_aside_line(file="/inbox/study/a.dcm", status="done", reason="")
    return plain | {"modality": "DX", "completeness": "COMPLETE"} | known


def check(
    verdict: str, criterion: str, value: float | None = None, unit: str | None = None
) -> dict[str, Any]:
    return {
        "criterion": criterion,
        "verdict": verdict,
        "value": value,
        "unit": unit,
        "advice": f"Advice on {criterion}.",
    }


def finding(decision: str, probability: float) -> dict[str, Any]:
    return {"code": {"meaning": "Pneumothorax"}, "decision": decision, "probability": probability}


def test_the_worst_check_comes_first_with_what_was_measured() -> None:
    checks = [
        check("OK", "sharpness"),
        check("CHECK", "exposure", 1.234, "1"),
        check("NOT_CHECKED", "motion"),
        check("REPEAT", "field_of_view", 47.6, "mm"),
    ]
    assert quality_words(line(quality=checks)).splitlines() == [
        "REPEAT field_of_view 47.6 mm: Advice on field_of_view.",
        "CHECK exposure 1.23: Advice on exposure.",
        "1 OK, 1 not checked",
    ]


def test_nothing_checked_is_not_checked() -> None:
    assert quality_words(line(quality=[])) == "NOT CHECKED"
    assert quality_words(line(quality=[check("NOT_CHECKED", "motion")])) == "NOT CHECKED"


def test_triage_asks_and_never_says_normal() -> None:
    flagged = [finding("ABSENT", 0.1), finding("INDETERMINATE", 0.4)]
    assert triage_words(line(findings=flagged)) == "Pneumothorax? 0.40 INDETERMINATE"
    assert triage_words(line(findings=flagged[:1])) == "no finding flagged (does not mean normal)"
    refusals = [{"task": "chest_triage", "reason": "Too young."}, {"task": "ct_denoise", "reason": "No CT."}]
    assert triage_words(line(refusals=refusals)) == "chest_triage: Too young."
    assert denoise_words(line(refusals=refusals)) == "No CT."
    assert denoise_words(line(derived=["a", "b"])) == "2 images"


def test_a_file_that_gave_nothing_shows_its_reason_in_the_place_of_the_answer() -> None:
    aside = set_aside_line(file="/inbox/letter.txt", status="quarantined", reason="No DICOM.")
    assert table_row(aside) == ("inbox/letter.txt", "quarantined: No DICOM.", "", "", "")


def test_what_is_incomplete_says_so_beside_its_name() -> None:
    row = table_row(
        line(
            files=["/i/s/a.dcm", "/i/s/b.dcm"],
            completeness="INCOMPLETE",
            evidence="1 of 3 missing",
            timings_ms={"decoded": 1500.0, "committed.quality": 2500.0},
        )
    )
    assert row[0] == "DX s/a.dcm +1\nINCOMPLETE: 1 of 3 missing"
    assert row[-1] == "quality 2.50\n(decoded 1.50)"
    assert len(row) == len(COLUMNS)


def test_lines_are_counted_in_both_forms(capsys: Any) -> None:
    assert say_lines(iter([line(), line()]), as_json=True) == 2
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert say_lines(iter([line()]), as_json=False) == 1
    assert "1 acquisitions and files" in capsys.readouterr().out
