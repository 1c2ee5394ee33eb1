# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.errors import InputError
from ui.view_files import open_picture, read_heatmap


def test_arrays_are_mapped_read_only(clinic: Any, make: Any) -> None:
    pixels = make.chest(60, 50)
    folder = clinic.view(clinic.land("a"), pixels)
    picture = open_picture(folder)
    assert picture.shape_px == (60, 50)
    assert picture.slices == 1
    assert np.array_equal(picture.stored[0], pixels)
    assert not picture.stored.flags.writeable
    assert not picture.table.flags.writeable


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"array": "../pixels.npy"}, "not a file of this view"),
        ({"array": "/etc/passwd"}, "not a file of this view"),
        ({"array": "gone.npy"}, "No such file"),
        ({"array": "view.json"}, "cannot be shown"),
        ({"table": "pixels.npy"}, "its table is"),
        ({"surprise": 1}, "cannot be shown"),
        ({"stored_low": None}, "cannot be shown"),
    ],
)
def test_a_damaged_view_is_words_not_a_crash(clinic: Any, change: dict[str, Any], words: str) -> None:
    folder = clinic.view(clinic.land("a"))
    file = folder / "view.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(InputError, match=words):
        open_picture(folder)


def test_pickles_are_refused(clinic: Any) -> None:
    folder = clinic.view(clinic.land("a"))
    np.save(folder / "pixels.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError):
        open_picture(folder)


def test_a_truncated_array_is_words_not_a_crash(clinic: Any) -> None:
    folder = clinic.view(clinic.land("a"))
    file = folder / "pixels.npy"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError):
        open_picture(folder)


@pytest.mark.parametrize("array", [np.zeros((3, 3), np.float32), np.zeros((3,), np.uint8), np.zeros((0, 3))])
def test_what_is_not_a_picture_is_refused(clinic: Any, array: Any) -> None:
    folder = clinic.view(clinic.land("a"))
    np.save(folder / "pixels.npy", array)
    with pytest.raises(InputError):
        open_picture(folder)


def test_a_denoised_copy_must_fit(clinic: Any) -> None:
    acquisition = clinic.land("a", slices=2)
    stack = np.zeros((2, 5, 5), np.int16)
    assert open_picture(clinic.view(acquisition, stack, denoised=stack + 1)).denoised is not None
    folder = clinic.view(acquisition, stack, denoised=stack[:, :4])
    with pytest.raises(InputError, match="does not fit"):
        open_picture(folder)


def test_heatmaps(clinic: Any) -> None:
    heat = np.full((6, 5), 200, np.uint8)
    folder = clinic.view(clinic.land("a"), heat={"7": heat})
    picture = open_picture(folder)
    shown = read_heatmap(picture, "7")
    assert shown is not None
    assert np.array_equal(shown, heat)
    assert read_heatmap(picture, "8") is None
    (folder / "heat_7.png").write_bytes(b"not a png")
    assert read_heatmap(picture, "7") is None


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be shown"):
        open_picture(tmp_path)
