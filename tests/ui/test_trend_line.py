# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from ui import theme
from ui.stage_trends import Trend
from ui.theme import Scale
from ui.trend_line import TrendLine


def line(qtbot: QtBot, *seconds: float) -> TrendLine:
    widget = TrendLine(Trend(name="Decoded", seconds=seconds, words="steady"), Scale(px_per_mm=5.0))
    qtbot.addWidget(widget)
    widget.resize(200, 25)
    return widget


@pytest.mark.parametrize("seconds", [(0.1, 0.4, 0.2), (0.3,), (0.0, 0.0), ()])
def test_every_value_lies_inside(qtbot: QtBot, seconds: tuple[float, ...]) -> None:
    widget = line(qtbot, *seconds)
    points = widget.points()
    assert len(points) == len(seconds)
    assert all(0 <= point.x() <= 200 and 0 <= point.y() <= 25 for point in points)
    assert widget.accessibleName() == "Decoded: steady"


def test_more_is_higher_and_newer_is_further_right(qtbot: QtBot) -> None:
    first, second = line(qtbot, 0.1, 0.4).points()
    assert second.y() < first.y()
    assert second.x() > first.x()
    assert line(qtbot, 0.2).points()[0].x() == second.x(), "one value is the newest"


def test_it_is_drawn(qtbot: QtBot) -> None:
    image = line(qtbot, 0.1, 0.4, 0.2).grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert QColor(theme.CYAN).name() in colours
