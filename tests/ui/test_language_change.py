# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from appliance.config import Settings
from ui.kiosk import KioskWindow
from ui.language import language, use_language
from ui.main import run_kiosk
from ui.session import KioskSession

SIZE = (1280, 800)
MM = (217.0, 136.0)


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    use_language("en")


def test_a_tap_changes_the_language_of_a_running_screen(busy_clinic: Any) -> None:
    session = KioskSession(busy_clinic.layout, Settings(), busy_clinic.clock, profile="scanner")
    seen: list[tuple[str, str, str, int]] = []

    def shown() -> list[KioskWindow]:
        widgets = QApplication.topLevelWidgets()
        return [widget for widget in widgets if isinstance(widget, KioskWindow) and widget.isVisible()]

    def open_exam() -> None:
        shown()[0].exam_opened.emit("wrist")
        QTimer.singleShot(300, tap)

    def tap() -> None:
        shown()[0].languages.buttons["sw"].click()
        QTimer.singleShot(600, look)

    def exam_of(window: KioskWindow) -> str:
        return window._exam.exam_id if window._exam else ""

    def look() -> None:
        windows = shown()
        seen.append((language(), windows[0].languages.back.text(), exam_of(windows[0]), len(windows)))
        session.quit()

    QTimer.singleShot(300, open_exam)
    assert session.run(SIZE) == 0
    assert seen == [("sw", "Rudi", "wrist", 1)]


@pytest.mark.parametrize(
    ("set_to", "asked", "used"), [("hi", None, "hi"), ("hi", "es", "es"), ("en", None, "en")]
)
def test_the_settings_and_the_command_choose_the_language(
    busy_clinic: Any, tmp_path: Path, set_to: str, asked: str | None, used: str
) -> None:
    settings = Settings.model_validate({"kiosk": {"language": set_to}})
    file = tmp_path / "screen.png"
    run_kiosk(busy_clinic.layout.data, settings, screenshot=file, size=SIZE, language=asked)
    assert language() == used
    assert file.stat().st_size > 10_000
