# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtGui import QImage
from pytestqt.qtbot import QtBot

from appliance.config import Settings
from appliance.errors import ConfigError
from ui.main import (
    NEEDED_BY,
    PACKAGES,
    explain_missing_qt,
    platform_libraries,
    require_libraries,
    run_kiosk,
)


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 800), (1024, 600)])
def test_a_picture_of_the_store(
    full_clinic: Any, tmp_path: Path, qtbot: QtBot, size: tuple[int, int]
) -> None:
    del qtbot  # its application is the one that is used
    file = tmp_path / "kiosk.png"
    assert run_kiosk(full_clinic.layout.data, Settings(), screenshot=file, size=size) == 0
    image = QImage(str(file))
    assert (image.width(), image.height()) == size
    colours = {image.pixel(x, y) for x in range(0, size[0], 40) for y in range(0, size[1], 40)}
    assert len(colours) > 30, "a picture, not a blank"


def test_an_exam_can_be_named(full_clinic: Any, tmp_path: Path, qtbot: QtBot) -> None:
    del qtbot
    data = full_clinic.layout.data
    pictures = {}
    for exam_id in ("cut", "good"):
        file = tmp_path / f"{exam_id}.png"
        run_kiosk(data, Settings(), screenshot=file, exam_id=exam_id)
        pictures[exam_id] = QImage(str(file))
    assert pictures["cut"] != pictures["good"]
    with pytest.raises(ConfigError, match="There is no exam nobody"):
        run_kiosk(data, Settings(), screenshot=tmp_path / "x.png", exam_id="nobody")


def test_the_picture_of_an_emergency_department_is_its_wall(
    full_clinic: Any, tmp_path: Path, qtbot: QtBot
) -> None:
    del qtbot
    settings = Settings(kiosk={"profile": "fracture"})
    pictures = {}
    for exam_id in (None, "cut"):
        file = tmp_path / f"{exam_id}.png"
        run_kiosk(full_clinic.layout.data, settings, screenshot=file, exam_id=exam_id)
        pictures[exam_id] = QImage(str(file))
    assert pictures[None] != pictures["cut"], "the most urgent exam is not opened"


def test_a_missing_store_still_gives_a_readable_screen(tmp_path: Path, qtbot: QtBot) -> None:
    del qtbot
    file = tmp_path / "kiosk.png"
    assert run_kiosk(tmp_path / "nothing", Settings(), screenshot=file) == 0
    image = QImage(str(file))
    middle = {image.pixel(x, y) for x in range(480, 1440, 2) for y in range(350, 750, 2)}
    assert len(middle) > 10, "words, not a black screen"
    assert not (tmp_path / "nothing").exists()


def test_a_picture_that_cannot_be_written(full_clinic: Any, tmp_path: Path, qtbot: QtBot) -> None:
    del qtbot
    with pytest.raises(ConfigError, match="cannot be written"):
        run_kiosk(full_clinic.layout.data, Settings(), screenshot=tmp_path / "no" / "x.png")


@pytest.mark.parametrize(("library", "package"), list(PACKAGES.items()))
def test_a_missing_library_names_its_package(library: str, package: str) -> None:
    error = explain_missing_qt(f"{library}: cannot open shared object file: No such file or directory")
    assert library in error.what
    assert error.remedy == f"Install it: sudo apt-get install {package}."


def test_a_library_that_does_not_load_is_words_and_not_an_abort() -> None:
    require_libraries(("libc.so.6",))
    with pytest.raises(ConfigError, match=r"the system library libnowhere\.so\.9 is missing"):
        require_libraries(("libc.so.6", "libnowhere.so.9"))


def test_every_library_that_a_platform_needs_has_a_package() -> None:
    assert platform_libraries() == (), "offscreen needs nothing more"
    assert {len(libraries) for libraries in NEEDED_BY.values()} == {5, 2}
    assert set().union(*NEEDED_BY.values()) < set(PACKAGES)


def test_missing_pyqt_names_the_extra() -> None:
    assert "scanside[kiosk]" in explain_missing_qt("No module named 'PyQt6'").remedy


def test_without_pyqt_the_error_is_words() -> None:
    program = (
        "import sys; sys.modules['PyQt6'] = None\n"
        "from pathlib import Path\n"
        "from appliance.config import Settings\nfrom appliance.errors import ConfigError\n"
        "from ui.main import run_kiosk\n"
        "try:\n    run_kiosk(Path('x'), Settings(), screenshot=Path('x.png'))\n"
        "except ConfigError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "pip install 'scanside[kiosk]'" in done.stdout


def test_without_a_display_the_error_is_words() -> None:
    program = (
        "from pathlib import Path\n"
        "from appliance.config import Settings\nfrom appliance.errors import ConfigError\n"
        "from ui.main import run_kiosk\n"
        "try:\n    run_kiosk(Path('x'), Settings())\n"
        "except ConfigError as error:\n    print(error)\n"
    )
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    assert "There is no display" in done.stdout
