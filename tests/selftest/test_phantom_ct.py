# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The CT phantom is what it says."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from appliance.selftest.phantom_ct import LIVER_HU, METAL_HU, CtPlan, ct_slice_hu, write_ct

PLAN = CtPlan(slices=6, spacing_mm=30.0)


def hu(path: Path) -> np.ndarray:
    dataset = pydicom.dcmread(path)
    return dataset.pixel_array.astype(float) * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


def test_positions_leave_out_and_repeat_what_was_planned(tmp_path: Path) -> None:
    written = write_ct(tmp_path, replace(PLAN, missing=(1,), doubled=(3,)))
    assert written.positions_mm == (0.0, -60.0, -90.0, -90.0, -120.0, -150.0)
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in written.paths]
    assert [float(header.ImagePositionPatient[2]) for header in headers] == list(written.positions_mm)
    assert len({header.SOPInstanceUID for header in headers}) == len(headers)
    assert len({header.SeriesInstanceUID for header in headers}) == 1


def test_tissues_have_their_values_and_the_planned_noise(tmp_path: Path) -> None:
    path = write_ct(tmp_path, PLAN).paths[-1]
    liver = hu(path)[235:265, 165:195]
    assert liver.mean() == pytest.approx(LIVER_HU, abs=3)
    assert liver.std() == pytest.approx(PLAN.noise_hu, rel=0.2)
    assert hu(path)[60:80, 250:270].mean() == pytest.approx(-1000, abs=2)
    assert hu(path)[0, 0] == -1024


def test_noise_has_a_texture_and_is_not_white(tmp_path: Path) -> None:
    quiet, noisy = ct_slice_hu(PLAN, 5), hu(write_ct(tmp_path, PLAN).paths[-1])
    noise = (noisy - quiet)[235:265, 165:195]
    neighbours = np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]
    assert 0.2 < neighbours < 0.8


def test_metal_streaks_and_scale_are_where_they_were_planted(tmp_path: Path) -> None:
    good = write_ct(tmp_path / "good", PLAN).paths
    bad = write_ct(tmp_path / "bad", replace(PLAN, metal=(4,), streaked=(2,), intercept_error_hu=50.0)).paths
    assert (hu(bad[4]) == METAL_HU).sum() > 100
    difference = hu(bad[2])[200:300, 220:300] - hu(good[2])[200:300, 220:300]
    assert difference.std() > 0.3 * PLAN.streak_hu
    assert np.median(hu(bad[0]) - hu(good[0])) == 50.0


def test_headers_are_complete(tmp_path: Path) -> None:
    judge = shutil.which("dciodvfy")
    if judge is None:
        pytest.skip("dciodvfy is not installed: apt-get install dicom3tools")
    path = write_ct(tmp_path, replace(PLAN, slices=1)).paths[0]
    said = subprocess.run([judge, str(path)], capture_output=True, text=True, check=False)
    assert "Error" not in said.stdout + said.stderr, said
