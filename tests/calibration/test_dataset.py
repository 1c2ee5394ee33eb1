# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A set is what its manifest says, byte by byte, and is prepared as the appliance prepares."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.domain.card import ModelCard, Preprocessing
from appliance.errors import InputError, ModelBundleError
from appliance.tasks.letterbox import letterbox
from calibration.dataset import CalibrationSet
from calibration.sampling import make_set
from tests.set_parts import picture, rewrite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of two patients; one label known of two of them."""
    rows = []
    for index, (label, view) in enumerate([("1", "PA"), ("0", "AP"), ("", "PA")]):
        name = f"film{index}.png"
        picture(tmp_path / "images" / name, seed=index)
        rows.append(
            {
                "file": name,
                "group": f"patient{index // 2}",
                "view": view,
                "kvp": "120",
                "age_years": "50",
                "label:Effusion": label,
                "boxes": '[{"name": "Effusion", "row": 0.5, "column": 0.1, "rows": 0.2, "columns": 0.3}]',
            }
        )
    make_set(tmp_path / "images", rows, tmp_path / "set")
    return tmp_path / "set"


def test_a_set_says_what_is_known_and_no_more(folder: Path) -> None:
    found = CalibrationSet.read(folder)
    assert found.labels == ("Effusion",)
    assert [entry.labels["Effusion"] for entry in found.entries] == [True, False, None]
    positive, known = found.truth("Effusion")
    assert positive.tolist() == [True, False, False]
    assert known.tolist() == [True, True, False]
    assert not found.truth("Fracture")[1].any()
    assert found.groups == ("patient0", "patient0", "patient1")
    first = found.entries[0]
    assert (first.view, first.kvp, first.age_years, first.sex, first.source) == ("PA", 120, 50, None, None)
    assert first.boxes[0].row == 0.5
    assert found.manifest_sha256 == hashlib.sha256((folder / "manifest.csv").read_bytes()).hexdigest()


def test_tensors_are_those_of_the_appliance(folder: Path, chest_card: ModelCard) -> None:
    found = CalibrationSet.read(folder)
    tensors = list(found.tensors(chest_card))
    how = chest_card.preprocessing
    assert how.size_px is not None
    assert how.low_percentile is not None
    assert how.high_percentile is not None
    wanted = letterbox(
        found.image(found.entries[1]),
        size_px=how.size_px,
        low_percentile=how.low_percentile,
        high_percentile=how.high_percentile,
    )
    assert len(tensors) == 3
    assert tensors[1].keys() == {"image"}
    np.testing.assert_array_equal(tensors[1]["image"], wanted.tensor)


def test_a_slice_is_padded_as_the_denoising_task_does(tmp_path: Path, denoise_card: ModelCard) -> None:
    values = np.random.default_rng(3).normal(40, 30, (10, 9)).astype(np.float32)
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "low.npy", values)
    np.save(tmp_path / "images" / "full.npy", values / 2)
    row = {"file": "low.npy", "group": "a", "reference": "full.npy"}
    found = make_set(tmp_path / "images", [row], tmp_path / "set")
    (tensor,) = [item["slice"] for item in found.tensors(denoise_card)]
    assert tensor.shape == (1, 1, 12, 12)
    np.testing.assert_array_equal(tensor[0, 0, :10, :9], values)
    np.testing.assert_array_equal(found.reference_image(found.entries[0]).grey(), values / 2)


def test_a_card_that_says_no_preparation_is_refused(folder: Path, chest_card: ModelCard) -> None:
    card = replace(chest_card, preprocessing=Preprocessing(kind="letterbox"))
    with pytest.raises(ModelBundleError, match="does not say how"):
        next(CalibrationSet.read(folder).tensors(card))


def test_one_changed_byte_is_refused_before_it_is_decoded(folder: Path) -> None:
    content = bytearray((folder / "film1.png").read_bytes())
    content[-1] ^= 1
    (folder / "film1.png").write_bytes(content)
    with pytest.raises(InputError, match=r"film1\.png is not the file .* SHA-256 differs"):
        CalibrationSet.read(folder)


def test_an_image_that_changes_after_reading_is_noticed_too(folder: Path) -> None:
    found = CalibrationSet.read(folder)
    shutil.copy(folder / "film0.png", folder / "film1.png")
    with pytest.raises(InputError, match="SHA-256 differs"):
        found.image(found.entries[1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": "../film0.png"}, "not a path inside the set"),
        ({"file": "/etc/film0.png"}, "not a path inside the set"),
        ({"file": "film0.exe"}, "is not one of"),
        ({"file": "film9.png"}, "cannot be read"),
        ({"sha256": "00"}, "no SHA-256"),
        ({"group": ""}, "no group"),
        ({"kvp": "high"}, "kvp is 'high'"),
        ({"age_years": "nan"}, "age_years is 'nan'"),
        ({"label:Effusion": "yes"}, "it is 1, 0 or empty"),
        ({"boxes": '[{"name": "x"}]'}, "boxes are not"),
        (
            {"boxes": '[{"name": "x", "row": 40, "column": 0, "rows": 1, "columns": 1}]'},
            "not inside the image",
        ),
    ],
)
def test_a_wrong_line_is_named(folder: Path, changes: dict[str, str], words: str) -> None:
    rewrite(folder / "manifest.csv", **changes)
    with pytest.raises(InputError, match=words):
        CalibrationSet.read(folder)


def test_columns_nobody_knows_are_refused(folder: Path) -> None:
    text = (folder / "manifest.csv").read_text(encoding="utf-8")
    (folder / "manifest.csv").write_text(text.replace("view", "veiw", 1), encoding="utf-8")
    with pytest.raises(InputError, match="unknown: \\['veiw'\\]"):
        CalibrationSet.read(folder)


def test_a_line_of_another_length_is_refused(folder: Path) -> None:
    with (folder / "manifest.csv").open("a", encoding="utf-8") as file:
        file.write("film0.png,abc\n")
    with pytest.raises(InputError, match="more or fewer values"):
        CalibrationSet.read(folder)


def test_one_image_under_two_names_is_refused(folder: Path) -> None:
    lines = (folder / "manifest.csv").read_text(encoding="utf-8").splitlines()
    shutil.copy(folder / "film0.png", folder / "again.png")
    lines.append(lines[1].replace("film0.png", "again.png"))
    (folder / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=r"again\.png and film0\.png are the same image"):
        CalibrationSet.read(folder)


def test_a_link_out_of_the_set_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "film0.png").rename(tmp_path / "outside.png")
    (folder / "film0.png").symlink_to(tmp_path / "outside.png")
    with pytest.raises(InputError, match="leaves the set"):
        CalibrationSet.read(folder)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no manifest"):
        CalibrationSet.read(tmp_path)


def test_sixteen_bit_pictures_keep_their_depth(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    (tmp_path / "images").mkdir()
    assert cv2.imwrite(str(tmp_path / "images" / "deep.png"), values)
    found = make_set(tmp_path / "images", [{"file": "deep.png", "group": "a"}], tmp_path / "set")
    np.testing.assert_array_equal(found.image(found.entries[0]).grey(), values)


def test_coverage_counts_and_names_what_is_missing(folder: Path, chest_card: ModelCard) -> None:
    coverage = CalibrationSet.read(folder).coverage(chest_card)
    assert (coverage.images, coverage.groups) == (3, 2)
    assert coverage.counts["view"] == {"AP": 1, "PA": 2}
    assert coverage.counts["kvp"] == {"115 kV and over": 3}
    assert coverage.counts["sex"] == {"unknown": 3}
    assert "age 18-40 years (intended use)" in coverage.empty
    assert "age 40-60 years (intended use)" not in coverage.empty
    assert not any("0-18" in words for words in coverage.empty)
