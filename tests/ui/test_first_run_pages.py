# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page of the first run on every panel: large, apart, whole; in longer words and from right to left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, QRect
from PyQt6.QtWidgets import QAbstractButton, QLineEdit, QScrollArea, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.pins import Role
from tests.ui.test_languages_on_screen import PANELS, Lengthened
from ui import language as language_module
from ui.first_run_desk import FirstRunDesk
from ui.first_run_state import EVERYWHERE, FIELDS, STEPS
from ui.first_run_wizard import FirstRunWizard
from ui.language import use_language
from ui.theme import GAP_MM, TOUCH_MM


def settle() -> None:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for _ in range(3):
        QCoreApplication.processEvents()


def scrolls(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            return True
        parent = parent.parentWidget()
    return False


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def sheets(wizard: FirstRunWizard) -> Iterator[str]:
    """Every page, every keyboard, the keypad."""
    for step in STEPS:
        wizard.show_step(step)
        settle()
        yield step.name
    for fields in FIELDS.values():
        for field in fields:
            wizard.ask_field(field)
            settle()
            yield f"keyboard {field.name}"
    wizard._ask_pin(Role.SERVICE)
    settle()
    yield "keypad"


@pytest.mark.parametrize("said", ["longer", "ar"])
@pytest.mark.parametrize("panel", PANELS, ids=["15.6 inch", "10.1 inch", "7 inch"])
def test_every_page_fits_every_panel_and_finger(
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    panel: Any,
    said: str,
) -> None:
    use_language("en" if said == "longer" else said)
    if said == "longer":
        monkeypatch.setattr(language_module._Chosen, "words", Lengthened())
    desk = FirstRunDesk(Settings(), Layout(data=tmp_path / "data"), SystemClock(), config=None)
    draft = replace(desk.draft(language="en"), pacs_host="192.0.2.1", pacs_ae_title="P", host=EVERYWHERE)
    wizard = FirstRunWizard(desk, SystemClock(), *panel, draft=draft)
    qtbot.addWidget(wizard)
    wizard._looking.stop()  # its page is the device page's, which has tests of its own
    wizard.show()
    px_per_mm = wizard.scale.px_per_mm
    try:
        for name in sheets(wizard):
            assert wizard.size().width() == panel[0][0], name
            assert wizard.size().height() == panel[0][1], name
            seen = [b for b in wizard.findChildren(QAbstractButton) if b.isVisible()]
            found = [(button, place(button, wizard)) for button in seen]
            for button, where in found:
                assert min(where.width(), where.height()) >= TOUCH_MM * px_per_mm - 1e-6, (
                    name,
                    button.text(),
                )
                assert button.accessibleName().strip(), name
                if not scrolls(button):
                    assert wizard.rect().contains(where), (name, button.text())
                if button.text() and name != "keypad":  # the guard's own
                    words = button.fontMetrics().horizontalAdvance(button.text())
                    assert words <= where.width(), (name, button.text())
            for (one, first), (other, second) in combinations(found, 2):
                gap = max(
                    second.left() - first.right() - 1,
                    first.left() - second.right() - 1,
                    second.top() - first.bottom() - 1,
                    first.top() - second.bottom() - 1,
                )
                if scrolls(one) == scrolls(other):
                    assert gap >= GAP_MM * px_per_mm - 1, (name, one.text(), other.text())
            assert not wizard.findChildren(QLineEdit)
            assert not wizard.findChildren(QTextEdit)
    finally:
        monkeypatch.undo()
        use_language("en")
        wizard.stop()
