# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The phantoms are what they say: whatever relies on their truth relies on this."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from appliance.selftest.phantom_exposure import ExposurePlan, Shutter
from appliance.selftest.phantom_radiograph import Identity, write_chest, write_limb

ROWS, COLUMNS = 600, 500


def pixels(folder: Path, plan: ExposurePlan | None = None, **known: object) -> np.ndarray:
    path = write_chest(folder / "c.dcm", plan, rows=ROWS, columns=COLUMNS, **known).path  # type: ignore[arg-type]  # test data
    return pydicom.dcmread(path).pixel_array.astype(np.int64)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    made = [
        write_chest(tmp_path / f"{name}.dcm", identity=Identity(seed=seed), rows=ROWS, columns=COLUMNS).path
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    first, again, other = (path.read_bytes() for path in made)
    assert first == again
    assert first != other


def test_a_copy_has_the_same_pixels_and_another_uid(tmp_path: Path) -> None:
    one, two = (
        pydicom.dcmread(
            write_chest(
                tmp_path / f"{copy}.dcm", identity=Identity(copy=copy), rows=ROWS, columns=COLUMNS
            ).path
        )
        for copy in (0, 1)
    )
    assert one.PixelData == two.PixelData
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.StudyInstanceUID == two.StudyInstanceUID


def test_monochrome1_is_the_same_picture_inverted(tmp_path: Path) -> None:
    assert (pixels(tmp_path) + pixels(tmp_path, monochrome1=True) == (1 << 14) - 1).all()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turning_is_clockwise(tmp_path: Path, degrees: int) -> None:
    upright, turned = pixels(tmp_path), pixels(tmp_path, ExposurePlan(turned_degrees=degrees))
    assert (np.rot90(upright, k=-(degrees // 90)) == turned).all()


def test_the_border_has_the_planned_width_and_shows_what_was_planned(tmp_path: Path) -> None:
    widths = (14.0, 28.0, 42.0, 56.0)
    black = pixels(tmp_path, ExposurePlan(collimation_mm=widths))
    top, right, bottom, left = (round(width / 0.7) for width in widths)
    assert black[:top].max() == black[-bottom:].max() == black[:, :left].max() == black[:, -right:].max() == 0
    assert (black[top:-bottom, left:-right] > 0).mean() > 0.9
    white = pixels(tmp_path, ExposurePlan(collimation_mm=widths, shutter=Shutter.UNEXPOSED))
    assert np.median(white[: top - 4]) > 0.9 * ((1 << 14) - 1)


def test_noise_falls_with_the_root_of_the_dose(tmp_path: Path) -> None:
    quiet = pixels(tmp_path, ExposurePlan(dose=1000.0))
    spread = [(pixels(tmp_path, ExposurePlan(dose=dose)) - quiet).std() for dose in (4.0, 1.0, 0.25)]
    assert spread[1] == pytest.approx(2 * spread[0], rel=0.1)
    assert spread[2] == pytest.approx(2 * spread[1], rel=0.1)


def test_faults_are_where_they_were_planted(tmp_path: Path) -> None:
    good = pixels(tmp_path)
    lined = pixels(tmp_path, ExposurePlan(dead_columns=(100,), dead_rows=(200, 201)))
    changed = np.argwhere(lined != good)
    assert ((changed[:, 1] == 100) | np.isin(changed[:, 0], (200, 201))).all()
    assert (lined[:, 100] == (1 << 14) - 1).all()
    blurred = pixels(tmp_path, ExposurePlan(blur_px=15))
    rows, columns = (np.abs(np.diff(picture, axis=0)).mean() for picture in (good, blurred))
    assert columns < rows
    assert pixels(tmp_path, ExposurePlan(blank=True)).std() < 0.2 * good.std()


def test_the_truth_of_what_is_cut_off_is_geometry(tmp_path: Path) -> None:
    lowest = max(
        row for row, _ in write_chest(tmp_path / "c.dcm", rows=ROWS, columns=COLUMNS).truth.chest.left_lung
    )  # type: ignore[union-attr]  # a chest has one
    cut = write_chest(
        tmp_path / "d.dcm",
        ExposurePlan(shift_mm=(100.0, 0.0), collimation_mm=(0.0, 0.0, 14.0, 0.0)),
        rows=ROWS,
        columns=COLUMNS,
    ).truth.cut_off_mm
    assert dict(cut)["left base"] == pytest.approx(lowest + 100.0 + 14.0 - 210.0)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_bits_stored_are_used_and_not_passed(tmp_path: Path, bits: int) -> None:
    stored = pixels(tmp_path, bits_stored=bits)
    assert (1 << (bits - 1)) < stored.max() < (1 << bits)


def test_headers_are_complete(tmp_path: Path) -> None:
    judge = shutil.which("dciodvfy")
    if judge is None:
        pytest.skip("dciodvfy is not installed: apt-get install dicom3tools")
    plan = ExposurePlan(dose=0.5)
    paths = [
        write_chest(tmp_path / "c.dcm", plan, rows=ROWS, columns=COLUMNS).path,
        write_limb(tmp_path / "h.dcm", plan, rows=ROWS, columns=COLUMNS).path,
        write_limb(tmp_path / "f.dcm", plan, body_part="FOREARM", rows=ROWS, columns=COLUMNS).path,
    ]
    for path in paths:
        said = subprocess.run([judge, str(path)], capture_output=True, text=True, check=False)
        assert "Error" not in said.stdout + said.stderr, said
