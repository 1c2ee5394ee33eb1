# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ui import theme
from ui.theme import Scale, contrast, scale_for, stylesheet
from ui.verdict_state import VerdictKind

TEXTS = ["TEXT", "DIM", "BLUE", "RED", "AMBER", "GREEN", "GREY", "CYAN"]
GROUNDS = ["BACKGROUND", "PANEL", "CARD", "RAISED"]


def test_the_ratio_is_that_of_the_standard() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.fixture(params=["day", "night"])
def look(request: pytest.FixtureRequest) -> Iterator[str]:
    theme.use_night(night=request.param == "night")
    yield request.param
    theme.use_night(night=False)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_colour_can_be_read_on_every_ground(look: str, text: str, ground: str) -> None:
    pair = (theme.now(getattr(theme, text)), theme.now(getattr(theme, ground)))
    assert contrast(*pair) >= theme.TEXT_CONTRAST, look


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_verdict_words_have_the_stronger_contrast(look: str, kind: VerdictKind) -> None:
    colour = theme.VERDICT_COLOURS[kind]
    filled = kind in {VerdictKind.YES, VerdictKind.CHECK, VerdictKind.REPEAT}
    pair = (theme.BACKGROUND, colour) if filled else (colour, theme.CARD)
    assert contrast(*map(theme.now, pair)) >= theme.VERDICT_CONTRAST, look


def test_the_night_has_every_colour_and_each_is_darker(look: str) -> None:
    colours = {value for name, value in vars(theme).items() if name in [*TEXTS, *GROUNDS, "LINE"]}
    assert set(theme.NIGHT) == colours
    sheet = stylesheet(Scale(px_per_mm=5))
    for day, night in theme.NIGHT.items():
        assert contrast(day, "#000000") > contrast(night, "#000000")
        assert (night in sheet) or (day not in stylesheet_by_day()) or look == "day"


def stylesheet_by_day() -> str:
    before = theme.is_night()
    theme.use_night(night=False)
    sheet = stylesheet(Scale(px_per_mm=5))
    theme.use_night(night=before)
    return sheet


def test_green_belongs_to_yes_alone() -> None:
    green = [kind for kind, colour in theme.VERDICT_COLOURS.items() if colour == theme.GREEN]
    assert green == [VerdictKind.YES]


def test_touch_targets_are_never_rounded_below_their_size() -> None:
    for px_per_mm in (3.72, 5.58, 6.65, 5.0):
        scale = Scale(px_per_mm=px_per_mm)
        assert scale.touch_px >= 15 * px_per_mm
        assert scale.gap_px >= 3 * px_per_mm


def test_the_scale_is_that_of_the_panel() -> None:
    assert scale_for((1920, 1080), (344, 194)).px_per_mm == pytest.approx(5.567, abs=0.001)


def test_the_style_sheet_has_no_open_names() -> None:
    sheet = stylesheet(Scale(px_per_mm=5))
    assert "$" not in sheet.split("*/")[-1]
    assert theme.CARD in sheet
