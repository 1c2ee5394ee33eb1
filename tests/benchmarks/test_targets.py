# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""docs/targets.md is what the runs say, and nothing is guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import InputError
from benchmarks.report import Measured, as_json
from benchmarks.signed import sign
from benchmarks.tables import RESULTS
from benchmarks.targets import NOT_MEASURED, as_row, targets_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "targets.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == targets_page(RESULTS)


def test_what_nobody_measured_is_said(whole_run: Measured, empty_run: Measured) -> None:
    assert as_row(as_json(empty_run)).count(NOT_MEASURED) == 9
    row = as_row(as_json(whole_run))
    assert "| 2 / 3 |" in row
    assert "| +1.00 / not measured; 80 | 5 minutes, 7 of 7 answered: nothing grew |" in row


def test_one_row_for_each_machine(whole_run: Measured, tmp_path: Path) -> None:
    report = as_json(whole_run)
    for name, cpu in (("a-1", "A"), ("a-2", "A"), ("b", "B")):
        other = {**report, "machine": {**report["machine"], "cpu": cpu}}
        (tmp_path / f"{name}.json").write_text(json.dumps(other), encoding="utf-8")
    page = targets_page(tmp_path)
    assert page.count("| a-1.json, a-2.json |") == 1
    assert page.count("| b.json |") == 1


def test_a_run_that_was_changed_after_it_was_signed_is_refused(whole_run: Measured, tmp_path: Path) -> None:
    report = sign(json.loads(json.dumps(as_json(whole_run))), Ed25519PrivateKey.generate())
    file = tmp_path / "a.json"
    file.write_text(json.dumps(report), encoding="utf-8")
    targets_page(tmp_path)
    report["latency_ms"]["dx_raw"]["quality"]["p50"] = 0.1
    file.write_text(json.dumps(report), encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.json is not as"):
        targets_page(tmp_path)
