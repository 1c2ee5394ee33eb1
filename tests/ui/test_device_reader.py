# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from appliance.config import Settings
from appliance.models.contents import SIGNATURE
from tests.tiny_bundles import build, keys_folder, trusted
from ui.device_reader import DeviceReader


@pytest.fixture
def reader(clinic: Any, tmp_path: Path) -> Iterator[DeviceReader]:
    settings = Settings(models=(tmp_path / "site",), model_keys=keys_folder())
    made = DeviceReader(settings, clinic.layout)
    yield made
    made.stop()


def test_each_look_verifies_anew(reader: DeviceReader, tmp_path: Path, qtbot: QtBot) -> None:
    assert trusted().keys
    folder = build(tmp_path / "site" / "halve")
    with qtbot.waitSignals([reader.models_read, reader.latency_read], timeout=60_000):
        reader.look()
    with qtbot.waitSignal(reader.models_read, timeout=60_000) as first:
        reader.look()
    ours = [model for model in first.args[0].models if model.title == "halve"]
    assert [model.trust.word for model in ours] == ["TRUSTED"]
    with (folder / SIGNATURE).open("ab") as file:
        file.write(b"x")
    with qtbot.waitSignal(reader.models_read, timeout=60_000) as second:
        reader.look()
    assert not [model for model in second.args[0].models if model.title == "halve"]
    assert second.args[0].refused


def test_a_look_during_a_look_is_followed_by_another(reader: DeviceReader, qtbot: QtBot) -> None:
    answers: list[object] = []
    reader.models_read.connect(answers.append)
    reader.look()
    reader.look()
    reader.look()
    reader.stop()
    qtbot.waitUntil(lambda: len(answers) == 2)


def test_the_screen_starts_without_what_only_models_need() -> None:
    heavy = "{'onnx', 'cryptography', 'onnxruntime', 'openvino'}"
    code = f"import sys, ui.session; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
