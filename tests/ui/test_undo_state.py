# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from appliance.clock import NS_PER_S
from appliance.store.decisions import Choice
from ui.undo_state import LastDecision, undo_of


@pytest.mark.parametrize(
    ("choice", "exam_id", "version", "passed_s", "undo"),
    [
        (Choice.KEEP, "a", 1, 0.0, Choice.KEEP),
        (Choice.REPEAT, "a", 1, 9.9, Choice.REPEAT),
        (Choice.REPEAT, "a", 1, 10.0, None),
        (Choice.REPEAT, "b", 1, 1.0, None),
        (Choice.REPEAT, "a", 2, 1.0, None),
        (Choice.WITHDRAWN, "a", 1, 1.0, None),
    ],
)
def test_ten_seconds_on_the_same_images(
    choice: Choice, exam_id: str, version: int, passed_s: float, undo: Choice | None
) -> None:
    last = LastDecision(exam_id="a", version=1, choice=choice, decided_ns=0)
    assert undo_of(last, exam_id=exam_id, version=version, now_ns=round(passed_s * NS_PER_S)) is undo


def test_nothing_decided_is_nothing_to_undo() -> None:
    assert undo_of(None, exam_id="a", version=1, now_ns=0) is None
