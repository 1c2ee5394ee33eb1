# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from benchmarks.naive_radiograph import stored_values
from benchmarks.studies import RADIOGRAPHS, new_arrival, write_backlog, write_series

SYNTAXES = {
    "dx_raw": "1.2.840.10008.1.2.1",
    "dx_jpeg_lossless": "1.2.840.10008.1.2.4.70",
    "dx_jpeg_ls": "1.2.840.10008.1.2.4.80",
    "dx_htj2k": "1.2.840.10008.1.2.4.201",
    "dx_j2k": "1.2.840.10008.1.2.4.90",
}
"""PS3.6 table A-1."""


@pytest.mark.parametrize("name", RADIOGRAPHS)
def test_every_syntax_holds_the_same_pixels(radiographs: dict[str, Path], name: str) -> None:
    raw = dcmread(radiographs["dx_raw"])
    dataset = dcmread(radiographs[name])
    assert dataset.file_meta.TransferSyntaxUID == SYNTAXES[name]
    np.testing.assert_array_equal(stored_values(dataset), raw.pixel_array)
    assert (dataset.BitsStored, dataset.Rows, dataset.Columns) == (14, 300, 250)
    if name != "dx_raw":
        assert len(dataset.PixelData) < 0.7 * len(raw.PixelData), "nothing was compressed"


def test_an_arrival_is_a_study_of_its_own(radiographs: dict[str, Path], tmp_path: Path) -> None:
    first = new_arrival((radiographs["dx_j2k"],), tmp_path)
    second = new_arrival((radiographs["dx_j2k"],), tmp_path)
    one, two, template = (dcmread(path) for path in (*first.files, *second.files, radiographs["dx_j2k"]))
    assert one.StudyInstanceUID == first.study_instance_uid
    assert len({one.SOPInstanceUID, two.SOPInstanceUID, template.SOPInstanceUID}) == 3
    assert len({one.StudyInstanceUID, two.StudyInstanceUID, template.StudyInstanceUID}) == 3
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert one.PixelData == two.PixelData == template.PixelData


def test_a_series_says_how_many_images_it_has(tmp_path: Path) -> None:
    study = new_arrival(write_series(tmp_path / "template", slices=3), tmp_path / "arrival")
    headers = [dcmread(path) for path in study.files]
    assert [header.ImagesInAcquisition for header in headers] == [3, 3, 3]
    assert len({header.SeriesInstanceUID for header in headers}) == 1
    assert len({header.SOPInstanceUID for header in headers}) == 3
    assert len({header.FrameOfReferenceUID for header in headers}) == 1
    assert headers[0].pixel_array.shape == (512, 512)
    assert len({float(header.ImagePositionPatient[2]) for header in headers}) == 3


def test_the_urgent_files_of_a_backlog_come_last(tmp_path: Path) -> None:
    studies = write_backlog(tmp_path, files=5, urgent=2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [study.files[0].name for study in studies]
    headers = [dcmread(study.files[0]) for study in studies]
    assert [header.RequestedProcedurePriority for header in headers] == ["ROUTINE"] * 3 + ["STAT"] * 2
    assert len({header.StudyInstanceUID for header in headers}) == 5
    assert [study.study_instance_uid for study in studies] == [header.StudyInstanceUID for header in headers]
