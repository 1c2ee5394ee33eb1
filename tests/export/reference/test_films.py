# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Patients stay on one side of a split, and the preprocessing is what the card says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2")

from export.reference.films import fold_of_groups, letterbox, read_films

DATA = Path(os.environ.get("SCANSIDE_DATA", Path(__file__).parents[4] / "shared" / "data"))


def folds_by_group(groups: list[str], fold: np.ndarray) -> dict[str, set[int]]:
    seen: dict[str, set[int]] = {}
    for group, number in zip(groups, fold, strict=True):
        seen.setdefault(group, set()).add(int(number))
    return seen


def test_no_group_is_in_two_folds() -> None:
    groups = [f"patient {index % 37}" for index in range(400)]
    fold = fold_of_groups(groups, folds=5, seed=1)
    assert set(fold.tolist()) == {0, 1, 2, 3, 4}
    assert all(len(numbers) == 1 for numbers in folds_by_group(groups, fold).values())


def test_no_real_patient_is_in_two_folds_and_all_are_adults() -> None:
    if not (DATA / "xray" / "labels.csv").exists():
        pytest.skip(f"no radiographs under {DATA}: set SCANSIDE_DATA")
    films = read_films(DATA, ("NIH", "NIH-findings"))
    groups = [film.group for film in films]
    fold = fold_of_groups(groups, folds=5, seed=20261122)
    assert all(len(numbers) == 1 for numbers in folds_by_group(groups, fold).values())
    both = {film.group for film in films if film.dataset == "NIH"} & {
        film.group for film in films if film.dataset == "NIH-findings"
    }
    assert both, "the two sets share patients: the case that the split is for"
    assert all(film.age_years is not None and film.age_years >= 18 for film in films)


def test_letterbox_centres_on_zeros_and_keeps_the_aspect() -> None:
    pixels = np.tile(np.linspace(0, 255, 200).astype(np.uint8), (100, 1))
    square = letterbox(pixels, size_px=64)
    assert square.shape == (64, 64)
    assert not square[:16].any()
    assert not square[48:].any()
    assert square[16:48, -1].min() > 0.95
    assert square.min() == 0.0
    assert 0.99 < square.max() <= 1.0


def test_a_flat_frame_does_not_divide_by_zero() -> None:
    assert np.isfinite(letterbox(np.full((40, 40), 7, np.uint8), size_px=32)).all()
