# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Writing drawn into films is found; films without any mostly pass."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom import dcmread

from appliance.deidentification.burned_in_text import find_writing
from appliance.selftest.phantom_radiograph import Identity, write_chest

LINES = ("DOE, JANE", "12-03-1955", "St Mary Hospital", "ID 4452918", "Anna 1961")
SCALES = (0.5, 0.8, 1.2, 2.0)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    path = tmp_path_factory.mktemp("film") / "chest.dcm"
    write_chest(path, identity=Identity(), rows=1200, columns=1000)
    stored = dcmread(path).pixel_array.astype(np.float32)
    return (255 * (stored - stored.min()) / np.ptp(stored)).astype(np.uint8)


def test_a_film_without_writing_passes(film: np.ndarray) -> None:
    assert find_writing(film) == ()


@pytest.mark.parametrize("grey", [255, 0])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("line", LINES)
def test_a_line_of_writing_is_found_where_it_is(film: np.ndarray, line: str, scale: float, grey: int) -> None:
    written = film.copy()
    # On the middle of the chest: neither black nor white all around.
    row, column = film.shape[0] // 2, film.shape[1] // 4
    cv2.putText(
        written, line, (column, row), cv2.FONT_HERSHEY_DUPLEX, scale, grey, max(1, round(scale)), cv2.LINE_AA
    )
    if abs(float(film[row - 10 : row, column : column + 60].mean()) - grey) < 60:
        written = np.where(written == film, 128, written).astype(np.uint8)
    rows = find_writing(written)
    assert rows, "not found"
    assert any(abs((found.top_px + found.bottom_px) / 2 - row + 12 * scale) < 20 * scale for found in rows)


def test_a_side_marker_is_no_writing(film: np.ndarray) -> None:
    marked = film.copy()
    cv2.putText(marked, "R", (60, 120), cv2.FONT_HERSHEY_DUPLEX, 3.0, 255, 4, cv2.LINE_AA)
    assert find_writing(marked) == ()


@pytest.mark.parametrize("picture", [np.zeros((64, 64), np.uint16), np.full((8, 8), np.nan, np.float32)])
def test_frames_without_content_have_no_writing(picture: np.ndarray) -> None:
    assert find_writing(picture) == ()


def test_writing_in_real_films_is_found(real_data: Path) -> None:
    """Of the first 120 films 24 are held back, and each was looked at: PORTABLE, SEMI ERECT, LEFT, initials.

    At least nine in ten planted names are found beside them.
    """
    files = sorted((real_data / "xray" / "images" / "NIH").glob("*.jpg"))[:120]
    if len(files) < 120:
        pytest.skip(f"no films below {real_data}")
    held = found = 0
    for index, file in enumerate(files):
        film = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        held += bool(find_writing(film))
        row, column = 30 + (index * 37) % (film.shape[0] - 60), 10 + (index * 53) % (film.shape[1] // 2)
        grey = 255 if float(film[row - 12 : row, column : column + 80].mean()) < 128 else 0
        cv2.putText(
            film, LINES[index % 5], (column, row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, grey, 1, cv2.LINE_AA
        )
        found += any(abs(hit.bottom_px - row) < 16 for hit in find_writing(film))
    assert 20 <= held <= 28
    assert found >= 0.9 * len(files)
