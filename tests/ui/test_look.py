# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ui.look import LOOK_FILE, remember_night, remembered_night


@pytest.mark.parametrize("night", [True, False])
def test_the_choice_is_remembered_beside_what_others_remember(tmp_path: Path, night: bool) -> None:
    (tmp_path / LOOK_FILE).write_text('{"other": 1}', encoding="ascii")
    remember_night(tmp_path, night=night)
    assert remembered_night(tmp_path) is night
    assert json.loads((tmp_path / LOOK_FILE).read_text(encoding="ascii")) == {"other": 1, "night": night}


@pytest.mark.parametrize("text", ["", "[]", '{"night": 1}', "{", "\xff", '{"night": "yes"}', "[" * 4000])
def test_a_damaged_file_is_the_day(tmp_path: Path, text: str) -> None:
    (tmp_path / LOOK_FILE).write_text(text, encoding="latin-1")
    assert remembered_night(tmp_path) is False


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    remember_night(tmp_path / "gone", night=True)
    assert remembered_night(tmp_path / "gone") is False
