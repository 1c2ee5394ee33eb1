# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path

from appliance.clock import SystemClock
from appliance.domain.record import from_json
from appliance.domain.view import View
from appliance.layout import Layout
from appliance.store.board import Board
from appliance.store.connection import Database
from benchmarks.guard import judge, read_budgets
from benchmarks.kiosk_screen import report_of
from benchmarks.kiosk_store import CT_SLICES, EXAMS, RADIOGRAPHS, write_store
from benchmarks.kiosk_table import KIOSK_WORDS
from benchmarks.spread import spread_of
from benchmarks.tables import RESULTS, as_markdown


def test_the_store_is_whole(tmp_path: Path) -> None:
    clock, layout = SystemClock(), Layout(data=tmp_path)
    write_store(tmp_path, clock)
    with Database.open_to_read(layout.database, data=tmp_path, clock=clock) as database:
        entries = Board(database).entries()
    assert len(entries) == EXAMS
    assert {entry.slice_count for entry in entries} == {1, CT_SLICES}
    views = sorted(layout.views.rglob("view.json"))
    assert len(views) == RADIOGRAPHS + 1
    assert sum(from_json(View, path.read_text(encoding="utf-8")).denoised is not None for path in views) == 1


def test_every_promise_of_the_screen_is_judged_and_told() -> None:
    numbers = {name: spread_of([1.0, 2.0]) for name in KIOSK_WORDS}
    report = report_of(numbers, {}, 0.5)
    mine = [budget for budget in read_budgets() if budget.path.startswith("kiosk.")]
    assert len(mine) == 12
    assert all(one.kept for one in judge(report, tuple(mine)))
    slow = report_of({name: spread_of([1e6]) for name in KIOSK_WORDS}, {}, 0.5)
    assert not any(one.kept for one in judge(slow, tuple(mine)))


def test_the_kept_run_has_every_number() -> None:
    report = json.loads((RESULTS / "epyc-2-kiosk.json").read_text(encoding="utf-8"))
    assert report["kiosk"].keys() - {"exams"} == KIOSK_WORDS.keys()
    tables = as_markdown(report)
    assert all(words in tables for words in KIOSK_WORDS.values())
