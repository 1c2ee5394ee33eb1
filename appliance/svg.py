# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figures as SVG within pages that are whole in one file: the same figure gives the same text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SALT: Final = "scanside"
"""Names within an SVG are made of it instead of at random."""


def as_svg(figure: Figure, *, letters: Literal["none", "path"]) -> str:
    """The figure as an SVG element, without a date.

    `letters`, as matplotlib's `svg.fonttype`: "none" leaves texts as texts, "path" draws them, for a
    reader whose fonts nobody knows.
    """
    import matplotlib as mpl  # noqa: PLC0415  (half a second: only for a page with figures)

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": SALT, "svg.fonttype": letters}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
