# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside deidentify` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.selftest.phantom_radiograph import Identity, write_chest

RUN = CliRunner()


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in (1, 2):
        identity = Identity(seed=number, patient_id="P-1", patient_name="DOE^JANE")
        write_chest(folder / f"{number}.dcm", identity=identity, rows=600, columns=500)
    return folder


def run(films: Path, tmp_path: Path, *more: str) -> tuple[int, list[dict[str, str | None]]]:
    answer = RUN.invoke(
        app,
        [
            "deidentify",
            str(films),
            "--out",
            str(tmp_path / "out"),
            "--data",
            str(tmp_path / "d"),
            "--json",
            *more,
        ],
    )
    return answer.exit_code, [json.loads(line) for line in answer.stdout.splitlines()]


def test_a_folder_of_films_leaves_as_one_patient(films: Path, tmp_path: Path) -> None:
    code, lines = run(films, tmp_path)
    assert code == 0
    written = [pydicom.dcmread(str(line["written"])) for line in lines]
    assert len({str(file.PatientID) for file in written}) == 1
    assert "DOE" not in "".join(str(file) for file in written)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"{file.SOPInstanceUID}.dcm" for file in written
    )


def test_writing_in_a_picture_holds_it_back_until_a_person_looked(films: Path, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(films / "1.dcm")
    pixels = dataset.pixel_array.copy()
    written = np.zeros(pixels.shape, np.uint8)
    cv2.putText(written, "DOE JANE 1961", (60, 300), cv2.FONT_HERSHEY_DUPLEX, 1.0, 255, 2)
    pixels[written > 127] = pixels.max()
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(films / "1.dcm")
    code, lines = run(films, tmp_path)
    assert code == 1
    assert [line["written"] is None for line in lines] == [True, False]
    assert "writing in the picture" in str(lines[0]["reason"])
    assert run(films, tmp_path, "--pixels-looked-at")[0] == 0


def test_what_is_no_image_and_what_is_a_link_are_told(films: Path, tmp_path: Path) -> None:
    (films / "note.txt").write_text("DOE JANE")
    (films / "link.dcm").symlink_to(films / "1.dcm")
    code, lines = run(films, tmp_path)
    assert code == 1
    told = {Path(str(line["source"])).name: line["reason"] for line in lines if line["written"] is None}
    assert set(told) == {"note.txt", "link.dcm"}


def test_an_unknown_word_after_keep_is_wrong_usage(films: Path, tmp_path: Path) -> None:
    assert run(films, tmp_path, "--keep", "names")[0] == 2
