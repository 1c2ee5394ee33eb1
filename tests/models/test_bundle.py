# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle is taken whole or refused; what is not as listed is refused before it is parsed."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from appliance.errors import ModelBundleError
from appliance.models.bundle import read_bundle
from tests.tiny_bundles import sign_sums, trusted

MakeBundle = Callable[..., Path]
Sums = Callable[[Path], None]


@pytest.fixture
def copy(good_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good_bundle, tmp_path / "bundle"))


def test_a_good_bundle_is_read(good_bundle: Path) -> None:
    bundle = read_bundle(good_bundle, trust=trusted())
    assert bundle.card.identity == "ct_denoise@1.1"
    assert bundle.model == good_bundle / "model.onnx"
    assert list(bundle.golden_inputs) == ["slice"]
    assert list(bundle.golden_outputs) == ["denoised"]
    assert not bundle.golden_inputs["slice"].flags.writeable
    assert bundle.model_sha256.keys() == {"fp32"}
    assert len(bundle.model_sha256["fp32"]) == len(bundle.sums_sha256) == 64


def test_notes_and_a_licence_may_lie_beside(copy: Path, sums: Sums) -> None:
    (copy / "LICENCE").write_text("words", encoding="utf-8")
    (copy / "NOTES.md").write_text("words", encoding="utf-8")
    sums(copy)
    assert read_bundle(copy, trust=trusted()).card.task == "ct_denoise"


def test_an_unlisted_file_a_missing_file_and_a_missing_list_are_refused(copy: Path) -> None:
    (copy / "NOTES.md").write_text("x", encoding="utf-8")
    with pytest.raises(ModelBundleError, match="not listed"):
        read_bundle(copy, trust=trusted())
    (copy / "NOTES.md").unlink()
    (copy / "gate.json").unlink()
    with pytest.raises(ModelBundleError, match="files missing"):
        read_bundle(copy, trust=trusted())
    (copy / "SHA256SUMS").unlink()
    with pytest.raises(ModelBundleError, match="no SHA256SUMS"):
        read_bundle(copy, trust=trusted())


@pytest.mark.parametrize("name", ["card.toml", "model.onnx", "golden.npz", "gate.json"])
def test_a_bundle_that_lists_too_little_is_refused(copy: Path, sums: Sums, name: str) -> None:
    (copy / name).unlink()
    sums(copy)
    with pytest.raises(ModelBundleError, match="files missing"):
        read_bundle(copy, trust=trusted())


@pytest.mark.parametrize(
    "name",
    ["weights.pkl", "model.pt", "model.onnx.data", "golden.npy", "run.sh", ".hidden", "model.int8.plan"],
)
def test_files_of_other_kinds_are_refused_though_listed(copy: Path, sums: Sums, name: str) -> None:
    (copy / name).write_bytes(b"x")
    sums(copy)
    with pytest.raises(ModelBundleError, match="holds no file called"):
        read_bundle(copy, trust=trusted())


@pytest.mark.parametrize("listed", ["../card.toml", "/etc/passwd", "sub/card.toml", "..", "card.toml\x00"])
def test_names_that_leave_the_folder_are_refused(copy: Path, listed: str) -> None:
    with (copy / "SHA256SUMS").open("a", encoding="utf-8") as file:
        file.write(f"{'0' * 64}  {listed}\n")
    sign_sums(copy)
    with pytest.raises(ModelBundleError, match="SHA256SUMS has a line"):
        read_bundle(copy, trust=trusted())


def test_links_folders_and_pipes_are_refused(copy: Path, good_bundle: Path, tmp_path: Path) -> None:
    model = copy / "model.onnx"
    model.unlink()
    model.symlink_to(good_bundle / "model.onnx")
    with pytest.raises(ModelBundleError, match="not a plain file"):
        read_bundle(copy, trust=trusted())
    model.unlink()
    model.mkdir()
    with pytest.raises(ModelBundleError, match="not a plain file"):
        read_bundle(copy, trust=trusted())
    model.rmdir()
    os.mkfifo(model)
    with pytest.raises(ModelBundleError, match="not a plain file"):
        read_bundle(copy, trust=trusted())
    link = tmp_path / "link"
    link.symlink_to(good_bundle)
    with pytest.raises(ModelBundleError, match="not a folder"):
        read_bundle(link, trust=trusted())
    with pytest.raises(ModelBundleError, match="cannot be read"):
        read_bundle(tmp_path / "nowhere", trust=trusted())


def edit_card(folder: Path, old: str, new: str, sums: Sums) -> None:
    card = folder / "card.toml"
    text = card.read_text(encoding="utf-8")
    assert old in text
    card.write_text(text.replace(old, new), encoding="utf-8")
    sums(folder)


LABELS = """
[[labels]]
name = "a"
scale = 1.0
shift = 0.0
sensitive_threshold = {low}
specific_threshold = {high}
code = {{value = "1", scheme = "99SCANSIDE", meaning = "a"}}
"""

HALVED_TOO_FAR = """kind = "letterbox"
size_px = 9
low_percentile = 1
high_percentile = 9
smallest_halved_px = 8
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("format = 1", "format = 2", "format is 2"),
        ("format = 1", "format = 1\nthreshold = 0.5", "threshold"),
        ("multiple_of_px = 4", "multiple_of = 4", "multiple_of"),
        ("multiple_of_px = 4", "multiple_of_px = 0", "multiple_of_px is 0"),
        ("draws_location = false", "draws_locations = false", "draws_location"),
        ('kind = "slice"', 'kind = "crop"', "'crop' is unknown"),
        ('kind = "slice"', 'kind = "letterbox"\nsize_px = 320', "percentiles None and None"),
        (
            'kind = "slice"',
            'kind = "letterbox"\nlow_percentile = 1.0\nhigh_percentile = 99.0',
            "size_px is None",
        ),
        (
            'kind = "slice"',
            HALVED_TOO_FAR,
            "smallest_halved_px is 8",
        ),
        ('task = "ct_denoise"', 'task = "../ct"', "not a name"),
        ('summary = "Halves every value."', "", "summary"),
        ("[preprocessing]", "[preprocessing", "card.toml"),
        ('name = "denoised"', 'name = "other"', "outputs are"),
        ('["batch", 1, "rows", "columns"]', '["batch", 3, "rows", "columns"]', "inputs are"),
        ('["batch", 1, "rows", "columns"]', '["batch", 1, "rows"]', "inputs are"),
        ('dtype = "float32"', 'dtype = "float16"', "inputs are"),
        ("labels = []\n", LABELS.format(low=0.9, high=0.1), "thresholds of a"),
        ("labels = []\n", LABELS.format(low=0.5, high=1.1), "thresholds of a"),
        ("labels = []\n", LABELS.format(low="nan", high=1.0), "thresholds of a"),
    ],
)
def test_a_card_that_says_something_else_is_refused(
    copy: Path, sums: Sums, old: str, new: str, words: str
) -> None:
    if old.startswith("labels"):
        edit_card(copy, old, "", sums)
        with (copy / "card.toml").open("a", encoding="utf-8") as card:
            card.write(new)
        sums(copy)
    else:
        edit_card(copy, old, new, sums)
    with pytest.raises(ModelBundleError, match=words):
        read_bundle(copy, trust=trusted())


def external(model: onnx.ModelProto) -> onnx.ModelProto:
    weights = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(weights, location="../../../etc/passwd")
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    return model


def external_in_a_branch(model: onnx.ModelProto) -> onnx.ModelProto:
    inner = external(onnx.ModelProto.FromString(model.SerializeToString())).graph.initializer[0]
    constant = helper.make_node("Constant", [], ["unused"])
    constant.attribute.append(onnx.AttributeProto(name="value", type=onnx.AttributeProto.TENSOR, t=inner))
    model.graph.node.append(constant)
    return model


def foreign(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[0].domain = "org.example"
    model.opset_import.append(helper.make_opsetid("org.example", 1))
    return model


def newer(model: onnx.ModelProto) -> onnx.ModelProto:
    model.opset_import[0].version = 26
    return model


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (external, "outside the file"),
        (external_in_a_branch, "outside the file"),
        (foreign, "org.example"),
        (newer, "26"),
    ],
)
def test_a_graph_that_needs_something_outside_itself_is_refused(
    copy: Path,
    sums: Sums,
    halving: Callable[..., onnx.ModelProto],
    change: Callable[[onnx.ModelProto], onnx.ModelProto],
    words: str,
) -> None:
    (copy / "model.onnx").write_bytes(change(halving()).SerializeToString())
    sums(copy)
    with pytest.raises(ModelBundleError, match=words):
        read_bundle(copy, trust=trusted())


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x80\x04\x95pickle"])
def test_a_listed_file_that_is_no_graph_is_refused(copy: Path, sums: Sums, content: bytes) -> None:
    (copy / "model.onnx").write_bytes(content)
    sums(copy)
    with pytest.raises(ModelBundleError, match=r"model\.onnx"):
        read_bundle(copy, trust=trusted())


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"input:slice": np.ones(3, np.float32)}, "holds"),
        ({"input:slice": np.ones(3), "output:denoised": np.array([np.nan])}, "other than numbers"),
        ({"input:slice": np.ones(3), "output:denoised": np.ones(0)}, "is empty"),
        ({"input:slice": np.ones(3), "output:denoised": np.array([{}], dtype=object)}, "golden.npz"),
    ],
)
def test_golden_data_must_be_numbers_for_every_port(
    copy: Path, sums: Sums, arrays: dict[str, np.ndarray], words: str
) -> None:
    np.savez(copy / "golden.npz", **arrays)
    sums(copy)
    with pytest.raises(ModelBundleError, match=words):
        read_bundle(copy, trust=trusted())


def test_a_golden_bomb_and_a_broken_gate_are_refused(copy: Path, sums: Sums) -> None:
    with zipfile.ZipFile(copy / "golden.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("input:slice.npy", bytes(257 * 1024**2))
    sums(copy)
    with pytest.raises(ModelBundleError, match="unpacks to more"):
        read_bundle(copy, trust=trusted())
    shutil.copy(copy / "gate.json", copy / "golden.npz")
    sums(copy)
    with pytest.raises(ModelBundleError, match=r"golden\.npz"):
        read_bundle(copy, trust=trusted())
