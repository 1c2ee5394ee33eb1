# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look as values: colours with their measured contrast, and sizes in millimetres. No Qt.

Dark only; the image area is never tinted. Red means "act now", amber "look", green "the check passed",
grey "nobody checked"; each comes with a shape and a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from ui.verdict_state import VerdictKind

BACKGROUND: Final = "#0b0e11"
PANEL: Final = "#12161b"
CARD: Final = "#1b2026"
"""The background that KIOSK.md measured its palette on."""
RAISED: Final = "#262d35"
LINE: Final = "#323b45"
TEXT: Final = "#e6eaee"
DIM: Final = "#a3adb8"
BLUE: Final = "#6cb2ff"
RED: Final = "#ff7b72"
AMBER: Final = "#ffc857"
GREEN: Final = "#56d391"
GREY: Final = "#b8c1cb"
CYAN: Final = "#5fd4e6"
BLACK: Final = "#000000"
NIGHT: Final = {
    BACKGROUND: "#000000",
    PANEL: "#040506",
    CARD: "#090b0d",
    RAISED: "#101316",
    LINE: "#23292f",
    TEXT: "#a9b0b7",
    DIM: "#828b94",
    BLUE: "#5490d0",
    RED: "#ee7a71",
    AMBER: "#c0943e",
    GREEN: "#46ad77",
    GREY: "#9aa3ac",
    CYAN: "#489eac",
}
"""The same colours for a dark room: grounds near black, so that dimmer texts keep their contrast."""
VERDICT_COLOURS: Final = {
    VerdictKind.YES: GREEN,
    VerdictKind.CHECK: AMBER,
    VerdictKind.REPEAT: RED,
    VerdictKind.NOT_CHECKED: GREY,
    VerdictKind.CHECKING: TEXT,
}
TEXT_CONTRAST: Final = 4.5
"""WCAG 2.2, 1.4.3 (AA)."""
VERDICT_CONTRAST: Final = 7.0
"""WCAG 2.2, 1.4.6 (AAA): the word that decides whether a patient leaves."""
TOUCH_MM: Final = 15.0
LARGE_TOUCH_MM: Final = 20.0
GAP_MM: Final = 3.0
"""Gloved fingers (KIOSK.md, rule 14)."""
FAMILIES: Final = ("Noto Sans", "Noto Sans Devanagari", "DejaVu Sans", "Noto Sans Arabic")
"""Fonts, first that is there; Debian's fonts-noto-core covers all scripts that names are written in. Arabic
comes from DejaVu where it is there: its lines are as high as Latin ones, Noto's half as high again."""
_STYLESHEET: Final = "kiosk.qss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many pixels a millimetre of this panel has."""

    px_per_mm: float

    def px(self, mm: float) -> int:
        """Pixels for a length, at least one."""
        return max(1, round(mm * self.px_per_mm))

    @property
    def touch_px(self) -> int:
        """The smallest side of anything that a finger is meant to hit; rounded up."""
        return -int(-TOUCH_MM * self.px_per_mm // 1)

    @property
    def gap_px(self) -> int:
        """Between two such things."""
        return -int(-GAP_MM * self.px_per_mm // 1)


def scale_for(size_px: tuple[int, int], screen_mm: tuple[float, float]) -> Scale:
    """The scale of a panel of `size_px` (width, height) that is `screen_mm` large."""
    return Scale(px_per_mm=min(size_px[0] / screen_mm[0], size_px[1] / screen_mm[1]))


def contrast(foreground: str, background: str) -> float:
    """The contrast ratio of two #rrggbb colours (WCAG 2.2, relative luminance), 1 to 21."""
    light, dark = sorted((_luminance(foreground), _luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


class _Look:
    night = False


def use_night(*, night: bool) -> None:
    """Panels drawn from now on are those of the night, or of the day. One per process, as the language is."""
    _Look.night = night


def is_night() -> bool:
    """Whether the panels are dimmed."""
    return _Look.night


def now(colour: str) -> str:
    """The colour of a panel for the look in use. What is drawn on the picture never goes through here."""
    return NIGHT.get(colour, colour) if _Look.night else colour


def stylesheet(scale: Scale) -> str:
    """The style sheet for this panel and the look in use."""
    colours = {
        name.lower(): now(value)
        for name, value in globals().items()
        if isinstance(value, str) and value.startswith("#")
    }
    sizes = {
        "caption": scale.px(3.2),
        "body": scale.px(3.7),
        "title": scale.px(4.4),
        "name": scale.px(5.0),
        "verdict": scale.px(11.0),
        "clock": scale.px(24.0),
        "radius": scale.px(1.6),
        "thick": scale.px(0.7),
        "hair": max(1, scale.px(0.2)),
        "touch": scale.touch_px,
    }
    text = (Path(__file__).parent / _STYLESHEET).read_text(encoding="utf-8")
    family = ", ".join(f'"{name}"' for name in FAMILIES)
    return Template(text).substitute({**colours, **sizes, "family": family})


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
