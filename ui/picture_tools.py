# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be switched on over the picture, and what a tap or a held button makes of it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from ui.display_table import Window
from ui.language import tr


class Compare(str, Enum):
    """Which of original and denoised copy is on the screen."""

    ORIGINAL = "original"
    DENOISED = "denoised"
    DIVIDER = "divider"
    """Original left of the finger, denoised right of it."""
    REMOVED = "removed"
    """The difference: what denoising took away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What is switched on over the picture."""

    ai_on: bool = True
    heatmap_on: bool = False
    contrast_mode: bool = False
    compare: Compare = Compare.ORIGINAL


class Held(str, Enum):
    """A button that a finger rests on: what it shows lasts as long as the finger does."""

    NOTHING = "nothing"
    PEEK = "peek"
    """Nothing is drawn over the picture."""
    FLICKER = "flicker"
    """The other one of original and denoised, in the whole area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named window for CT."""

    window: Window
    """Centre, width in HU."""

    name: str
    """English; shown through `preset_name`."""


PRESETS: Final = (
    Preset(window=(-600.0, 1500.0), name="Lung"),
    Preset(window=(40.0, 400.0), name="Soft tissue"),
    Preset(window=(400.0, 1800.0), name="Bone"),
    Preset(window=(40.0, 80.0), name="Brain"),
)
"""Centre and width as radiology teaches them (Radiopaedia, "Windowing (CT)")."""


def after_tap(compare: Compare) -> Compare:
    """The next view: all four are reached with single taps on one button."""
    order = list(Compare)
    return order[(order.index(compare) + 1) % len(order)]


def shown_tools(tools: Tools, held: Held, *, has_denoised: bool) -> Tools:
    """What is drawn, given what is switched on and what is held."""
    if held is Held.PEEK:
        tools = replace(tools, ai_on=False, heatmap_on=False)
    if not has_denoised:
        return replace(tools, compare=Compare.ORIGINAL)
    if held is Held.FLICKER:
        denoised_now = tools.compare is Compare.DENOISED
        tools = replace(tools, compare=Compare.ORIGINAL if denoised_now else Compare.DENOISED)
    return tools


def after_preset(window: Window | None) -> Window | None:
    """The next preset; None: the header's own window again. A window set by hand starts over."""
    windows = [preset.window for preset in PRESETS]
    if window not in windows:
        return windows[0]
    following = windows.index(window) + 1
    return windows[following] if following < len(windows) else None


def preset_name(window: Window | None) -> str:
    """What the window in use is called."""
    if window is None:
        return tr("As sent")
    names = {
        "Lung": tr("Lung"),
        "Soft tissue": tr("Soft tissue"),
        "Bone": tr("Bone"),
        "Brain": tr("Brain"),
    }
    return next((names[preset.name] for preset in PRESETS if preset.window == window), tr("By hand"))


def compare_name(compare: Compare) -> str:
    """The word on the button."""
    return {
        Compare.ORIGINAL: tr("Original"),
        Compare.DENOISED: tr("Denoised"),
        Compare.DIVIDER: tr("Both"),
        Compare.REMOVED: tr("Removed"),
    }[compare]
