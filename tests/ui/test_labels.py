# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from PyQt6.QtGui import QFontMetrics
from pytestqt.qtbot import QtBot

from ui.labels import FittedLabel

WORDS = ["YES", "NOT CHECKED", "NON CONTRÔLÉ", "IMEKAGULIWA BADO", "لم يتم الفحص", "जाँच नहीं हुई", "W" * 60]
WANTED_PX = 60


@pytest.mark.parametrize("word", WORDS)
def test_the_word_fits_whatever_it_is_and_again_after_a_resize(qtbot: QtBot, word: str) -> None:
    label = FittedLabel("verdict_word")
    qtbot.addWidget(label)
    label.resize(300, 80)
    label.show_fitted(word, WANTED_PX)
    label.show()
    qtbot.waitExposed(label)
    sizes = []
    for width in (300, 900, 120):
        label.resize(width, 80)
        metrics = QFontMetrics(label.font())
        assert metrics.horizontalAdvance(word) <= width
        sizes.append(label.font().pixelSize())
    assert max(sizes) <= WANTED_PX
    assert sizes[2] <= sizes[0] <= sizes[1]


def test_the_word_is_as_large_as_wanted_where_there_is_room(qtbot: QtBot) -> None:
    label = FittedLabel("verdict_word")
    qtbot.addWidget(label)
    label.resize(900, 80)
    label.show_fitted("YES", WANTED_PX)
    assert label.font().pixelSize() == WANTED_PX
    assert label.minimumSizeHint().width() == 0
