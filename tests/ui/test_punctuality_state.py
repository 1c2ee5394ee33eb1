# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from appliance.store.punctuality import Tally
from ui.punctuality_state import punctuality_of

NOTHING = Tally(in_time=0, late=0, pending=0, unknown=0, without_check=0)


@pytest.mark.parametrize(
    ("tally", "words", "is_late"),
    [
        (None, "", False),
        (NOTHING, "", False),
        (
            Tally(in_time=58, late=0, pending=2, unknown=0, without_check=0),
            "Checked in time today: 58 of 58",
            False,
        ),
        (
            Tally(in_time=57, late=1, pending=0, unknown=0, without_check=0),
            "Checked in time today: 57 of 58 · 1 late",
            True,
        ),
        (
            Tally(in_time=0, late=2, pending=0, unknown=1, without_check=3),
            "Checked in time today: 0 of 2 · 2 late · 1 time unknown · 3 not checkable",
            True,
        ),
        (Tally(in_time=0, late=0, pending=0, unknown=2, without_check=0), "2 times unknown", False),
    ],
)
def test_what_is_not_known_is_said_and_never_in_time(tally: Tally | None, words: str, is_late: bool) -> None:
    state = punctuality_of(tally)
    assert (state.words, state.is_late) == (words, is_late)
