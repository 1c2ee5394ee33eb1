# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
from typing import Any

from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from appliance.config import Settings
from tests.tiny_bundles import keys_folder
from ui.controller import KioskController
from ui.device_reader import DeviceReader
from ui.kiosk import KioskWindow
from ui.line_card import LineCard
from ui.store_source import StoreSource


def test_one_tap_from_a_running_screen_shows_the_device_and_its_models(clinic: Any, qtbot: QtBot) -> None:
    window = KioskWindow((1280, 800), (217.0, 136.0))
    qtbot.addWidget(window)
    controller = KioskController(
        window,
        lambda: StoreSource(clinic.layout, clinic.clock),
        clinic.clock,
        interval_s=0.02,
        device=DeviceReader(Settings(model_keys=keys_folder()), clinic.layout),
    )
    window.show()
    with qtbot.waitSignal(controller.poller.board_read):
        controller.start()
    try:
        bar = next(one.health for one in window._bars if one.health.isVisible())
        assert not window.device.device.findChildren(LineCard), "nothing is drawn before it is asked for"
        qtbot.mouseClick(bar, Qt.MouseButton.LeftButton)
        assert window.visit.is_open
        words = [card._word.text() for card in window.device.device.findChildren(LineCard)]
        assert "OK" in words
        found = lambda: [  # noqa: E731  a probe
            card for card in window.device.models.findChildren(LineCard) if card._word.text() == "TRUSTED"
        ]
        assert not found(), "not before it was verified"
        qtbot.waitUntil(lambda: bool(found()), timeout=60_000)
        clinic.land("a")
        qtbot.waitUntil(
            lambda: "1 in work" in [card._word.text() for card in window.device.device.findChildren(LineCard)]
        )
    finally:
        controller.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "device-reader"]
