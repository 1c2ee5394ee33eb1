# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ui.picture_tools import (
    PRESETS,
    Compare,
    Held,
    Tools,
    after_preset,
    after_tap,
    compare_name,
    preset_name,
    shown_tools,
)


def test_single_taps_reach_every_view_and_come_back() -> None:
    seen = [Compare.ORIGINAL]
    while len(seen) <= len(Compare):
        seen.append(after_tap(seen[-1]))
    assert set(seen) == set(Compare)
    assert seen[-1] is Compare.ORIGINAL
    assert after_tap(Compare.ORIGINAL) is Compare.DENOISED, "what holding shows stays after a tap"
    assert len({compare_name(compare) for compare in Compare}) == len(Compare)


@pytest.mark.parametrize("compare", list(Compare))
def test_a_held_button_shows_the_other_one(compare: Compare) -> None:
    tools = Tools(compare=compare)
    shown = shown_tools(tools, Held.FLICKER, has_denoised=True).compare
    assert shown is (Compare.ORIGINAL if compare is Compare.DENOISED else Compare.DENOISED)
    assert shown_tools(tools, Held.NOTHING, has_denoised=True) == tools, "letting go returns"


@pytest.mark.parametrize("held", list(Held))
@pytest.mark.parametrize("compare", list(Compare))
def test_without_a_copy_there_is_only_the_original(compare: Compare, held: Held) -> None:
    assert shown_tools(Tools(compare=compare), held, has_denoised=False).compare is Compare.ORIGINAL


def test_a_peek_hides_ai_and_heatmap_only_while_it_lasts() -> None:
    tools = Tools(heatmap_on=True)
    peek = shown_tools(tools, Held.PEEK, has_denoised=False)
    assert peek == replace(tools, ai_on=False, heatmap_on=False)
    assert shown_tools(tools, Held.NOTHING, has_denoised=False) == tools


def test_presets_go_round_and_end_with_the_header() -> None:
    window = None
    names = [preset_name(window)]
    for _ in PRESETS:
        window = after_preset(window)
        names.append(preset_name(window))
    assert names == ["As sent", "Lung", "Soft tissue", "Bone", "Brain"]
    assert after_preset(window) is None
    assert preset_name((1.0, 2.0)) == "By hand"
    assert after_preset((1.0, 2.0)) == PRESETS[0].window
