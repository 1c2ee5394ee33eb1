# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the names of orders say."""

from __future__ import annotations

import pytest

from appliance.intake.protocol_words import Meaning, meaning_of
from appliance.worklist import ProtocolSettings


def meaning(*descriptions: str, code: str = "", rows: tuple[ProtocolSettings, ...] = ()) -> Meaning:
    return meaning_of(codes=[code] if code else [], descriptions=descriptions, protocols=rows)


@pytest.mark.parametrize(
    ("words", "part", "side", "views", "count"),
    [
        ("XR Chest 2 Views", "CHEST", None, ("PA", "LAT"), 2),
        ("2 VIEWS CHEST", "CHEST", None, ("PA", "LAT"), 2),
        ("Chest PA", "CHEST", None, ("PA",), 1),
        ("XR Wrist - right 2 Views", "WRIST", "R", ("PA", "LAT"), 2),
        ("X-RAY WRIST LT 3V", "WRIST", "L", (), 3),
        ("HAND L", "HAND", "L", ("PA", "OBL"), 2),
        ("XR KNEES BILATERAL", "KNEE", "B", ("AP", "LAT"), 2),
        ("XR KNEE BILATERAL", "KNEE", "B", ("AP", "LAT"), 2),
        ("ANKLE RT AND LT", "ANKLE", "B", ("AP", "LAT"), 2),
        ("L SPINE 2V", "LSPINE", None, ("AP", "LAT"), 2),
        ("XR ANKLE 2 or more views", "ANKLE", None, ("AP", "LAT"), 2),
        ("Something else", None, None, (), None),
    ],
)
def test_the_words_of_an_order(
    words: str, part: str | None, side: str | None, views: tuple[str, ...], count: int | None
) -> None:
    found = meaning(words)
    assert (found.body_part, found.laterality, found.views, found.view_count) == (part, side, views, count)


def test_the_site_s_own_rows_come_first() -> None:
    row = ProtocolSettings(pattern="^HGK", body_part="wrist", views=("pa", "lat", "obl"), laterality="L")
    found = meaning("CHEST PA", code="HGK7", rows=(row,))
    assert found == Meaning(
        body_part="WRIST", laterality="L", views=("PA", "LAT", "OBL"), view_count=3, sure=True
    )


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        ProtocolSettings(pattern="(", body_part="WRIST")
