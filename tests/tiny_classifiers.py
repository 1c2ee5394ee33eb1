# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A classifier of a few numbers, in float32 and really quantised: a bundle with a variant."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from tests.tiny_bundles import Speaks, write_sums

IMAGES = 20
SIDE_PX = 32
SEED = 11

CARD = """
format = 1
task = "{task}"
name = "{name}"
version = "1.{release}"
release = {release}
summary = "Says how bright and how striped a picture is."
precision = "float32"
metrics = []

[[inputs]]
name = "image"
shape = ["batch", 1, {side}, {side}]
dtype = "float32"

[[outputs]]
name = "{output}"
shape = ["batch", 2]
dtype = "float32"

[[labels]]
name = "Bright"
code = {{ value = "BRIGHT", scheme = "99TEST", meaning = "Bright" }}
scale = 1.0
shift = {shift!r}
sensitive_threshold = 0.5
specific_threshold = 0.5

[[labels]]
name = "Striped"
code = {{ value = "STRIPED", scheme = "99TEST", meaning = "Striped" }}
scale = 1.0
shift = 0.0
sensitive_threshold = 0.0
specific_threshold = 0.0

[preprocessing]
kind = "letterbox"
size_px = {side}
low_percentile = 0.5
high_percentile = 99.5

[intended_use]
modalities = ["CR", "DX"]
body_parts = []
view_positions = []
draws_location = false

[provenance]
training_data = ["none"]
licence = "Apache-2.0"
restrictions = ""
known_biases = []

[[variants]]
precision = "int8"
tolerances = {{ {output} = {tolerance!r} }}
"""


def classifier(output: str) -> onnx.ModelProto:
    """`image` -> two logits: a convolution, a mean, a matrix."""
    random = np.random.default_rng(SEED)
    kernels = random.normal(0, 0.4, (8, 1, 3, 3)).astype(np.float32)
    weights = random.normal(0, 2.0, (8, 2)).astype(np.float32)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernels"], ["seen"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["seen"], ["positive"]),
            helper.make_node("ReduceMean", ["positive"], ["mean"], axes=[2, 3], keepdims=0),
            helper.make_node("MatMul", ["mean", "weights"], [output]),
        ],
        "classifier",
        [value("image", TensorProto.FLOAT, ["batch", 1, SIDE_PX, SIDE_PX])],
        [value(output, TensorProto.FLOAT, ["batch", 2])],
        initializer=[
            numpy_helper.from_array(kernels, "kernels"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class _Images(CalibrationDataReader):
    def __init__(self, images: NDArray[np.float32]) -> None:
        self._left = [{"image": images[index : index + 1]} for index in range(len(images))]

    def get_next(self) -> dict[str, Any] | None:
        return self._left.pop() if self._left else None


def run(model: Path, images: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": images})[0], dtype=np.float32)


def build_classifier(
    folder: Path,
    *,
    task: str = "brightness",
    name: str = "classifier",
    release: int = 1,
    output: str = "logits",
    tolerance: float = 0.1,
    threshold_between: bool = False,
) -> Path:
    """A bundle with an int8 variant. Its thresholds are far from every golden image.

    With `threshold_between` one lies between the float32 and the int8 answer for one of them."""
    folder.mkdir(parents=True)
    plain, quantised = folder / "model.onnx", folder / "model.int8.onnx"
    onnx.save(classifier(output), plain)
    random = np.random.default_rng(SEED)
    images = random.random((IMAGES, 1, SIDE_PX, SIDE_PX), dtype=np.float32)
    images *= np.linspace(0.2, 1.0, IMAGES, dtype=np.float32)[:, None, None, None]
    logging.disable(logging.WARNING)  # the quantiser recommends its own preprocessing
    quantize_static(
        plain,
        quantised,
        _Images(images),
        quant_format=QuantFormat.QDQ,
        per_channel=False,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"ActivationSymmetric": True, "WeightSymmetric": True, "QuantizeBias": False},
    )
    logging.disable(logging.NOTSET)
    golden = run(plain, images)
    shift = 100.0
    if threshold_between:
        off = np.abs(run(quantised, images) - golden)[:, 0]
        at = int(off.argmax())
        between = (float(golden[at, 0]) + float(run(quantised, images)[at, 0])) / 2
        shift = -between
    np.savez(folder / "golden.npz", **{"input:image": images, f"output:{output}": golden})
    text = CARD.format(
        task=task,
        name=name,
        release=release,
        output=output,
        side=SIDE_PX,
        shift=shift,
        tolerance=tolerance,
    )
    (folder / "card.toml").write_text(text, encoding="utf-8")
    (folder / "gate.json").write_text("{}", encoding="utf-8")
    write_sums(folder, Speaks(task, name, release))
    return folder
