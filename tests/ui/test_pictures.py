# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of docs/kiosk.md are what the kiosk draws today."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtGui import QFontInfo
from pytestqt.qtbot import QtBot

from ui.pictures import PANELS, PROFILES, application, first_run_shots, shots, write
from ui.theme import FAMILIES
from ui.view_state import Profile

DRAWN: Final = Path(__file__).parents[2] / "docs" / "kiosk"
LARGEST_BYTES: Final = 150_000
COMPARED_PX: Final = (160, 90)
MOST_DIFFERENT: Final = 4.0
"""Mean difference of 255 at that size: other figures and engines give below 1, another page over 8."""


def small(file: Path) -> NDArray[np.float32]:
    image = cv2.imread(str(file))
    assert image is not None, file
    return cv2.resize(image, COMPARED_PX, interpolation=cv2.INTER_AREA).astype(np.float32)


@pytest.mark.parametrize("profile", [*PROFILES, None])
def test_the_pictures_are_up_to_date(tmp_path: Path, qtbot: QtBot, profile: Profile | None) -> None:
    del qtbot
    family = QFontInfo(application().font()).family()
    if family != FAMILIES[0]:
        pytest.skip(f"the pictures were drawn with {FAMILIES[0]}; here is {family}")
    count = 0
    data = tmp_path / "store"
    drawn = shots(data, profile, ("en",)) if profile else first_run_shots(data, ("en",))
    for shot in drawn:
        again = small(write(shot, tmp_path))
        kept = DRAWN / shot.name
        assert np.abs(again - small(kept)).mean() <= MOST_DIFFERENT, (
            f"{shot.name} shows an older kiosk: python -m ui.pictures --out docs/kiosk"
        )
        assert kept.stat().st_size < LARGEST_BYTES
        count += 1
    assert count == 2 * len(PANELS)


def test_different_pages_are_told_apart() -> None:
    wall, views = (small(DRAWN / f"fracture-{page}-1280x800.png") for page in ("wall", "views"))
    assert np.abs(wall - views).mean() > 2 * MOST_DIFFERENT
