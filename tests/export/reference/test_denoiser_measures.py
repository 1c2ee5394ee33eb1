# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The denoiser's table: what a filter reached is kept, a gain has the right sign, the worst slice is told."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from export.reference.denoiser_measures import by_pair, gain, jackknife, measure, metrics
from export.reference.denoiser_sets import Pair


def pairs(count: int = 3) -> list[Pair]:
    rows, columns = np.mgrid[:160, :160] - 80
    body = np.where(np.hypot(rows, columns) < 70, 40.0, -1000.0).astype(np.float32)
    body[np.hypot(rows, columns - 35) < 18] = -850.0
    body[np.hypot(rows, columns + 35) < 18] = 700.0
    random = np.random.default_rng(1)
    made = []
    for number in range(count):
        noise = random.normal(0, 20.0 + 10 * number, body.shape).astype(np.float32)
        routine = np.asarray(body + random.normal(0, 3, body.shape), np.float32)
        made.append(Pair(name=str(number), group="one", low=body + noise, routine=routine))
    return made


def smooth(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.bilateralFilter(image, 7, 120, 2), np.float32)


def test_a_filter_is_measured_once_and_the_model_each_time(tmp_path: Path) -> None:
    first = measure("set", pairs(), smooth, tmp_path)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert {"set_input.json", "set_nlm16_tuned.json"} <= set(kept)
    second = measure("set", pairs(), lambda image: image, tmp_path)
    assert second["nlm16_tuned"] == first["nlm16_tuned"]
    assert second["model"] == second["input"]
    assert all(value < 0 for value in gain(first, "rmse_hu", "input"))
    assert all(value > 0 for value in gain(first, "psnr_db", "input"))


def test_every_pair_has_its_row_and_every_group_its_metric(tmp_path: Path) -> None:
    found = measure("set", pairs(), smooth, tmp_path)
    rows = by_pair(pairs(), found)
    ratios = [row["rmse_ratio"] for row in rows]
    assert [row["pair"] for row in rows] == ["0", "1", "2"]
    assert all(row["rmse_hu_model"] < row["rmse_hu_input"] for row in rows)
    known = {row.name: row for row in metrics(found, ["one", "two", "two"], "here")}
    assert known["rmse ratio to input, one"].value == pytest.approx(ratios[0], abs=1e-3)
    assert known["rmse ratio to input, two"].value == pytest.approx(np.mean(ratios[1:]), abs=1e-3)
    assert known["rmse ratio to input"].value == pytest.approx(np.mean(ratios), abs=1e-3)


def test_the_jackknife_of_a_mean_has_its_standard_error() -> None:
    values = np.random.default_rng(2).normal(5, 1, 400)
    left_out = [(values.sum() - one) / 399 for one in values]
    found = jackknife([float(values.mean()), *left_out])
    assert found.high - found.value == pytest.approx(1.96 * values.std(ddof=1) / 20, rel=0.02)
