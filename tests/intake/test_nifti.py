# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""NIfTI volumes lie as a DICOM stack would, whichever way the file stores them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from appliance.domain.acquisition import Completeness, Kind
from appliance.errors import InputError
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.intake.nifti import read_nifti

VOXELS = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)
"""x right, y anterior, z superior."""
AFFINE = np.array([[0.8, 0, 0, -10.0], [0, 0.9, 0, -20.0], [0, 0, 2.5, 30.0], [0, 0, 0, 1]])


def write(path: Path, voxels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any] = AFFINE) -> Path:
    image: Any = nib.Nifti1Image(voxels, affine)  # type: ignore[no-untyped-call]  # nibabel is typed in part
    image.to_filename(path)
    return path


@pytest.mark.parametrize("name", ["volume.nii", "volume.nii.gz"])
def test_a_volume(jail: Jail, tmp_path: Path, name: str) -> None:
    acquisition = read_nifti(write(tmp_path / name, VOXELS), jail, sha256="cd")
    assert (acquisition.kind, acquisition.completeness) == (Kind.VOLUME, Completeness.COMPLETE)
    instance = acquisition.first
    assert instance.modality == "OT"
    assert instance.sha256 == "cd"
    assert instance.study_instance_uid.startswith("2.25.")
    assert len({instance.study_instance_uid, instance.series_instance_uid, instance.sop_instance_uid}) == 3
    assert instance.geometry.pixel_spacing_mm == pytest.approx((0.9, 0.8))
    assert instance.geometry.image_orientation_patient == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    frames = open_frames(acquisition, jail)
    assert len(frames) == 3
    for index, image in enumerate(frames):
        assert np.array_equal(image.stored, VOXELS[::-1, ::-1, index].T)
    first = instance.geometry.frame_positions_mm[0]
    assert first == pytest.approx((-(-10.0 + 4 * 0.8), -(-20.0 + 3 * 0.9), 30.0))
    assert [one.position_mm for one in acquisition.slices] == pytest.approx([0.0, 2.5, 5.0])


def test_other_storage_orders_give_the_same_frames(jail: Jail, tmp_path: Path) -> None:
    """The same patient stored left to right, back to front, and with the axes exchanged."""
    plain = read_nifti(write(tmp_path / "a.nii", VOXELS), jail)
    flip = np.diag((-1.0, 1.0, 1.0, 1.0))
    flip[0, 3] = VOXELS.shape[0] - 1
    exchange = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    others = (
        write(tmp_path / "b.nii", VOXELS[::-1].copy(), AFFINE @ flip),
        write(tmp_path / "c.nii", VOXELS.transpose(1, 2, 0).copy(), AFFINE @ exchange),
    )
    expected = [image.stored.copy() for image in open_frames(plain, jail)]
    for path in others:
        other = read_nifti(path, jail)
        assert np.allclose(
            other.first.geometry.frame_positions_mm, plain.first.geometry.frame_positions_mm, atol=1e-5
        )
        for image, truth in zip(open_frames(other, jail), expected, strict=True):
            assert np.array_equal(image.stored, truth)


def test_content_makes_the_identity_and_the_user_the_modality(jail: Jail, tmp_path: Path) -> None:
    one = read_nifti(write(tmp_path / "one.nii", VOXELS), jail, modality="CT")
    again = read_nifti(write(tmp_path / "again.nii", VOXELS), jail)
    other = read_nifti(write(tmp_path / "other.nii", VOXELS + 1), jail)
    assert one.first.modality == "CT"
    assert one.first.series_instance_uid == again.first.series_instance_uid
    assert one.first.series_instance_uid != other.first.series_instance_uid


def test_scaled_and_floating_point_volumes(jail: Jail, tmp_path: Path) -> None:
    image: Any = nib.Nifti1Image(VOXELS, AFFINE)  # type: ignore[no-untyped-call]  # nibabel is typed in part
    image.header.set_slope_inter(2.0, -1024.0)
    image.to_filename(tmp_path / "scaled.nii")
    scaled = open_frames(read_nifti(tmp_path / "scaled.nii", jail), jail).frame(1)
    truth = np.asarray(nib.load(tmp_path / "scaled.nii").dataobj)  # type: ignore[attr-defined]  # as above
    assert scaled.stored.dtype == np.int16
    assert np.allclose(scaled.grey(), truth[::-1, ::-1, 1].T)
    floating = write(tmp_path / "float.nii", (VOXELS / 3).astype(np.float64))
    frame = open_frames(read_nifti(floating, jail), jail).frame(0)
    assert frame.stored.dtype == np.float32
    assert np.allclose(frame.stored, (VOXELS / 3)[::-1, ::-1, 0].T)


def test_what_is_not_one_volume_is_refused(jail: Jail, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not one volume"):
        read_nifti(write(tmp_path / "4d.nii", np.zeros((3, 3, 3, 2), np.int16)), jail)
    with pytest.raises(InputError, match="not numbers"):
        read_nifti(write(tmp_path / "nan.nii", np.full((3, 3, 3), np.nan, np.float32)), jail)
    (tmp_path / "text.nii").write_text("no volume")
    with pytest.raises(InputError, match="damaged"):
        read_nifti(tmp_path / "text.nii", jail)
    cut = write(tmp_path / "cut.nii.gz", VOXELS)
    cut.write_bytes(cut.read_bytes()[:-40])
    with pytest.raises(InputError):
        read_nifti(cut, jail)
