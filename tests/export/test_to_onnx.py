# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every source becomes the same graph; pickles, in whatever wrapping, are refused unopened."""

from __future__ import annotations

import dataclasses
import io
import json
import pickletools
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from appliance.domain.card import ModelCard, TensorSpec
from appliance.errors import InputError
from export.card_shapes import with_card_shapes
from export.graphs import OPSET, opset
from export.session import GraphSession
from export.to_onnx import Source, to_onnx
from tests.tiny_networks import residual_classifier

FACTORY = """
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.norm = torch.nn.BatchNorm2d(8)
        self.second = torch.nn.Conv2d(8, 8, 3, padding=1)
        self.head = torch.nn.Linear(8, 3)

    def forward(self, image):
        features = torch.relu(self.norm(self.first(image)))
        features = torch.relu(features + self.second(features))
        return self.head(features.mean((2, 3)))


def make():
    torch.manual_seed(1)
    return Net().eval()


def number():
    return 7
"""
SIDE_PX = 32


@pytest.fixture
def card(chest_card: ModelCard) -> ModelCard:
    return dataclasses.replace(
        chest_card,
        inputs=(TensorSpec(name="image", shape=("batch", 1, SIDE_PX, SIDE_PX), dtype="float32"),),
        outputs=(TensorSpec(name="logits", shape=("batch", 3), dtype="float32"),),
    )


@pytest.fixture(scope="module")
def torch() -> Any:
    found = pytest.importorskip("torch", reason="PyTorch comes with the workshop's extra")
    # PyTorch's exporter shows its progress; the display's own thread would outlive the test
    pytest.importorskip("tqdm").tqdm.monitor_interval = 0
    return found


@pytest.fixture(scope="module")
def folder(torch: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A network in every form that it may be saved in."""
    place = tmp_path_factory.mktemp("sources")
    (place / "tiny_factory.py").write_text(FACTORY, encoding="utf-8")
    sys.path.insert(0, str(place))
    try:
        import tiny_factory  # noqa: PLC0415  (made a line above)

        net = tiny_factory.make()
        example = torch.zeros(2, 1, SIDE_PX, SIDE_PX)
        program = torch.export.export(net, (example,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))
        torch.export.save(program, place / "net.pt2")
        with pytest.warns(DeprecationWarning, match="torch.jit.script"):
            torch.jit.script(net).save(place / "net.pt")
        from safetensors.torch import save_file  # noqa: PLC0415  (where PyTorch is)

        save_file(net.state_dict(), place / "net.safetensors")
        torch.save(net.state_dict(), place / "state.pt")
        torch.save(net.state_dict(), place / "state.pth")
        yield place
    finally:
        sys.path.remove(str(place))
        sys.modules.pop("tiny_factory", None)


@pytest.fixture(scope="module")
def wanted(folder: Path, torch: Any) -> tuple[np.ndarray, np.ndarray]:
    """Five images and what PyTorch itself says to them."""
    import tiny_factory  # noqa: PLC0415  (in sys.path by the fixture)

    given = np.random.default_rng(0).random((5, 1, SIDE_PX, SIDE_PX), np.float32)
    with torch.no_grad():
        return given, tiny_factory.make()(torch.from_numpy(given)).numpy()


@pytest.mark.parametrize("name", ["net.pt2", "net.pt", "tiny_factory:make"])
def test_every_source_gives_pytorchs_answers(
    name: str, folder: Path, card: ModelCard, wanted: tuple[np.ndarray, np.ndarray]
) -> None:
    weights = folder / "net.safetensors" if ":" in name else None
    source = Source(model=name if ":" in name else str(folder / name), weights=weights)
    model = to_onnx(source, card)
    given, answer = wanted
    assert np.abs(GraphSession(model).run({"image": given})["logits"] - answer).max() < 1e-5
    assert opset(model) == OPSET
    axis = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert axis.dim_param == model.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert not any(weights.external_data for weights in model.graph.initializer)
    onnx.checker.check_model(model, full_check=True)


def test_an_onnx_file_is_taken_as_it_is(tmp_path: Path, card: ModelCard) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(residual_classifier(), path)
    assert opset(to_onnx(Source(model=str(path)), card)) == 17


def test_an_old_onnx_file_is_brought_to_a_newer_opset(tmp_path: Path, card: ModelCard) -> None:
    old = residual_classifier()
    old.opset_import[0].version = 13
    onnx.save(old, tmp_path / "old.onnx")
    assert opset(to_onnx(Source(model=str(tmp_path / "old.onnx")), card)) == 17


def test_an_onnx_file_of_the_future_is_refused(tmp_path: Path, card: ModelCard) -> None:
    new = residual_classifier()
    new.opset_import[0].version = 22
    onnx.save(new, tmp_path / "new.onnx")
    with pytest.raises(InputError, match="opset 22"):
        to_onnx(Source(model=str(tmp_path / "new.onnx")), card)


def test_weights_outside_the_file_are_refused(tmp_path: Path, card: ModelCard) -> None:
    model = residual_classifier()
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    with pytest.raises(InputError, match="weights outside the file"):
        to_onnx(Source(model=str(tmp_path / "m.onnx")), card)


@pytest.mark.parametrize("name", ["state.pth", "state.pt", "a.pkl", "b.ckpt", "c.bin"])
def test_a_pickle_is_refused_unopened(name: str, folder: Path, tmp_path: Path, card: ModelCard) -> None:
    path = folder / name
    if not path.exists():
        path = tmp_path / name
        path.write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match="pickle") as caught:
        to_onnx(Source(model=str(path)), card)
    assert "safetensors" in caught.value.remedy


def repacked(path: Path, out: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out


BOMB = b"cos\nsystem\n(S'touch %s'\ntR."


def test_a_program_with_a_pickle_inside_is_refused_unopened(
    folder: Path, tmp_path: Path, card: ModelCard
) -> None:
    """torch.export.load would unpickle sample inputs, marked weights and objects: none of them gets there."""
    mark = tmp_path / "ran"
    bomb = BOMB % str(mark).encode()

    def sample_inputs(entries: dict[str, bytes]) -> None:
        entries["net/data/sample_inputs/model.pt"] = bomb

    def opaque(entries: dict[str, bytes]) -> None:
        entries["net/data/constants/opaque_obj_0"] = bomb

    def marked(entries: dict[str, bytes]) -> None:
        name = "net/data/weights/model_weights_config.json"
        config = json.loads(entries[name])
        first = next(iter(config["config"].values()))
        first["use_pickle"] = True
        entries[name] = json.dumps(config).encode()
        entries[f"net/data/weights/{first['path_name']}"] = bomb

    for index, change in enumerate((sample_inputs, opaque, marked)):
        path = repacked(folder / "net.pt2", tmp_path / f"{index}.pt2", change)
        with pytest.raises(InputError):
            to_onnx(Source(model=str(path)), card)
        assert not mark.exists(), change


def test_an_old_program_format_is_refused(tmp_path: Path, card: ModelCard) -> None:
    path = tmp_path / "old.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("serialized_state_dict.pt", b"")
    with pytest.raises(InputError, match="pickle"):
        to_onnx(Source(model=str(path)), card)


def test_a_damaged_archive_is_refused(folder: Path, tmp_path: Path, card: ModelCard) -> None:
    content = (folder / "net.pt2").read_bytes()
    (tmp_path / "cut.pt2").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError):
        to_onnx(Source(model=str(tmp_path / "cut.pt2")), card)


def test_a_script_that_writes_files_is_refused(folder: Path, tmp_path: Path, card: ModelCard) -> None:
    def change(entries: dict[str, bytes]) -> None:
        name = next(name for name in entries if name.endswith("code/__torch__.py") or "/code/" in name)
        entries[name] += b"\n  torch.save(x, '/tmp/x')\n"

    path = repacked(folder / "net.pt", tmp_path / "evil.pt", change)
    with pytest.raises(InputError, match="read or write files"):
        to_onnx(Source(model=str(path)), card)


@pytest.mark.parametrize(
    ("model", "weights", "words"),
    [
        ("tiny_factory:make", None, "needs its weights"),
        ("tiny_factory:make", "state.pth", "needs its weights"),
        ("tiny_factory:gone", "net.safetensors", "cannot be imported"),
        ("no_such_module:make", "net.safetensors", "cannot be imported"),
        ("tiny_factory:number", "net.safetensors", "returned a int"),
        ("tiny_factory:make", "other.safetensors", "do not fit"),
        ("tiny_factory:make", "damaged.safetensors", "do not fit"),
    ],
)
def test_a_factory_that_cannot_be_used_is_refused_in_words(
    model: str, weights: str | None, words: str, folder: Path, card: ModelCard, torch: Any
) -> None:
    from safetensors.torch import save_file  # noqa: PLC0415  (where PyTorch is)

    save_file({"first.weight": torch.zeros(1)}, folder / "other.safetensors")
    (folder / "damaged.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(InputError, match=words):
        to_onnx(Source(model=model, weights=None if weights is None else folder / weights), card)


def test_weights_beside_a_whole_file_are_refused(folder: Path, card: ModelCard) -> None:
    source = Source(model=str(folder / "net.pt2"), weights=folder / "net.safetensors")
    with pytest.raises(InputError, match="weights inside"):
        to_onnx(source, card)


def test_what_is_no_model_is_refused(tmp_path: Path, card: ModelCard) -> None:
    with pytest.raises(InputError, match="not a model"):
        to_onnx(Source(model=str(tmp_path / "notes.txt")), card)
    (tmp_path / "odd.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="not a whole ONNX graph"):
        to_onnx(Source(model=str(tmp_path / "odd.onnx")), card)


def test_the_cards_shapes_must_be_the_models(card: ModelCard) -> None:
    model = residual_classifier()
    small = dataclasses.replace(
        card, inputs=(TensorSpec(name="image", shape=("batch", 1, 16, 16), dtype="float32"),)
    )
    assert with_card_shapes(model, small) == model
    with pytest.raises(InputError, match=r"\['batch', 1, 16, 16\] in the model and \['batch', 1, 32, 32\]"):
        with_card_shapes(model, card)
    scores = (TensorSpec(name="scores", shape=("batch", 3), dtype="float32"),)
    with pytest.raises(InputError, match="the card's"):
        with_card_shapes(model, dataclasses.replace(small, outputs=scores))


def test_the_planted_pickle_would_run() -> None:
    """Otherwise the tests above prove nothing."""
    text = io.StringIO()
    pickletools.dis(BOMB % b"x", out=text)
    assert "os system" in text.getvalue()
