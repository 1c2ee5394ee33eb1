# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Model bundles and networks of a few numbers: real files for real engines."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from onnx import TensorProto, helper, numpy_helper

from appliance.models.bundle import Bundle, read_bundle
from appliance.models.contents import SIGNATURE, SUMS, sums_of
from appliance.models.keys import Trust, read_trust, shipped_keys
from appliance.models.signature import sign

CARD = """
format = {format}
task = "{task}"
name = "{name}"
version = "1.{release}"
release = {release}
summary = "Halves every value."
precision = "f32"
labels = []
metrics = []

[[inputs]]
name = "slice"
shape = ["batch", 1, "rows", "columns"]
dtype = "float32"

[[outputs]]
name = "denoised"
shape = ["batch", 1, "rows", "columns"]
dtype = "float32"

[preprocessing]
kind = "slice"
multiple_of_px = 4

[intended_use]
modalities = ["CT"]
body_parts = []
view_positions = []
draws_location = false

[provenance]
training_data = ["none"]
licence = "Apache-2.0"
restrictions = ""
known_biases = []
"""


def halving_model(fault: str | None = None, factor: float = 0.5) -> onnx.ModelProto:
    """`slice` -> `denoised`: each value times `factor`."""
    value = helper.make_tensor_value_info
    sizes = ["batch", 1, "rows", "columns"]
    graph = helper.make_graph(
        [helper.make_node("Mul", ["slice", "factor"], ["denoised"])],
        "halve",
        [value("slice", TensorProto.FLOAT, sizes)],
        [value("denoised", TensorProto.FLOAT, sizes)],
        initializer=[numpy_helper.from_array(np.array(factor, np.float32), "factor")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if fault is not None:
        helper.set_model_props(model, {"scanside.fault": fault})
    return model


@functools.cache
def signing_key() -> Ed25519PrivateKey:
    """The key that signs the bundles of this run of the tests; nobody keeps it."""
    return Ed25519PrivateKey.generate()


def write_public_key(key: Ed25519PrivateKey, file: Path) -> Path:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pem)
    return file


@functools.cache
def keys_folder() -> Path:
    """A folder for the setting `model_keys`, with the public half of `signing_key`."""
    folder = Path(tempfile.mkdtemp(prefix="scanside-test-keys-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_public_key(signing_key(), folder / "tests.pem")
    return folder


def trusted() -> Trust:
    """The shipped keys and the one of the tests."""
    return read_trust((shipped_keys(), keys_folder()))


def read_signed(folder: Path) -> Bundle:
    """A bundle of the tests, verified."""
    return read_bundle(folder, trust=trusted())


@dataclass(frozen=True)
class Speaks:
    """What a signature speaks of."""

    task: str
    name: str
    release: int


def write_sums(folder: Path, speaks: Speaks | None = None, key: Ed25519PrivateKey | None = None) -> None:
    """SHA256SUMS and SIGNATURE for whatever lies in the folder now."""
    files = {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.is_file() and file.name not in {SUMS, SIGNATURE}
    }
    (folder / SUMS).write_bytes(sums_of(files))
    sign_sums(folder, speaks, key)


def sign_sums(folder: Path, speaks: Speaks | None = None, key: Ed25519PrivateKey | None = None) -> None:
    """SIGNATURE for SHA256SUMS as it lies there, whatever it lists."""
    of = speaks or Speaks("ct_denoise", "halve", 1)
    signature = sign((folder / SUMS).read_bytes(), key or signing_key(), of=of)
    (folder / SIGNATURE).write_bytes(signature)


def build(
    folder: Path,
    *,
    task: str = "ct_denoise",
    name: str = "halve",
    release: int = 1,
    card_format: int = 1,
    fault: str | None = None,
    factor: float = 0.5,
    golden_factor: float | None = None,
    more_card: str = "",
) -> Path:
    """A bundle in `folder`; `golden_factor` other than `factor` makes data that no engine can reach."""
    folder.mkdir(parents=True)
    card = more_card + CARD.format(format=card_format, task=task, name=name, release=release)
    (folder / "card.toml").write_text(card, encoding="utf-8")
    onnx.save(halving_model(fault, factor), folder / "model.onnx")
    values = np.random.default_rng(5).normal(0, 400, (1, 1, 16, 16)).astype(np.float32)
    golden = {
        "input:slice": values,
        "output:denoised": values * np.float32(factor if golden_factor is None else golden_factor),
    }
    np.savez(folder / "golden.npz", **golden)
    (folder / "gate.json").write_text("{}", encoding="utf-8")
    write_sums(folder, Speaks(task, name, release))
    return folder


def marking_model() -> onnx.ModelProto:
    """`image` -> two `logits`, brightness and its opposite; and a `heatmap` of brightness for both."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "signs"], ["logits"]),
        helper.make_node("AveragePool", ["image"], ["places"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Concat", ["places", "places"], ["heatmap"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [value("image", TensorProto.FLOAT, ["batch", 1, 320, 320])],
        [
            value("logits", TensorProto.FLOAT, ["batch", 2]),
            value("heatmap", TensorProto.FLOAT, ["batch", 2, 10, 10]),
        ],
        initializer=[numpy_helper.from_array(np.array([[10.0, -10.0]], np.float32), "signs")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
