# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from appliance.config import KioskSettings, Settings
from ui.controller import KioskController
from ui.kiosk import KioskWindow
from ui.language import language, use_language
from ui.main import run_kiosk
from ui.session import KioskSession
from ui.store_source import StoreSource

SIZE = (1280, 800)
MM = (217.0, 136.0)


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    use_language("en")


def test_another_window_shows_the_same_exam(full_clinic: Any, qtbot: QtBot) -> None:
    old = KioskWindow(SIZE, MM)
    qtbot.addWidget(old)
    controller = KioskController(
        old, lambda: StoreSource(full_clinic.layout, full_clinic.clock), full_clinic.clock, interval_s=1.0
    )
    controller.take_board(full_clinic.read())
    old.exam_opened.emit("wrist")
    use_language("fr")
    new = KioskWindow(SIZE, MM)
    qtbot.addWidget(new)
    controller.use_window(new)
    assert controller.state is not None
    assert controller.state.selected is not None
    assert controller.state.selected.exam_id == "wrist"
    assert new.verdict.word.text() == "OUI"
    new.exam_opened.emit("cut")
    assert new.verdict.word.text() == "REFAIRE"


def test_a_tap_changes_the_language_of_a_running_screen(full_clinic: Any) -> None:
    session = KioskSession(full_clinic.layout, KioskSettings(), full_clinic.clock, profile="scanner")
    seen: list[tuple[str, str, int]] = []

    def shown() -> list[KioskWindow]:
        widgets = QApplication.topLevelWidgets()
        return [widget for widget in widgets if isinstance(widget, KioskWindow) and widget.isVisible()]

    def tap() -> None:
        shown()[0].languages.buttons["sw"].click()
        QTimer.singleShot(300, look)

    def look() -> None:
        windows = shown()
        seen.append((language(), windows[0].languages.back.text(), len(windows)))
        session.quit()

    QTimer.singleShot(300, tap)
    assert session.run(SIZE) == 0
    assert seen == [("sw", "Rudi", 1)]


@pytest.mark.parametrize(
    ("set_to", "asked", "used"), [("hi", None, "hi"), ("hi", "es", "es"), ("en", None, "en")]
)
def test_the_settings_and_the_command_choose_the_language(
    full_clinic: Any, tmp_path: Path, set_to: str, asked: str | None, used: str
) -> None:
    settings = Settings.model_validate({"kiosk": {"language": set_to}})
    file = tmp_path / "screen.png"
    run_kiosk(full_clinic.layout.data, settings, screenshot=file, size=SIZE, language=asked)
    assert language() == used
    assert file.stat().st_size > 10_000
