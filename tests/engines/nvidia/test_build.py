# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Real parsing and building by TensorRT-RTX, which needs no GPU for it: what ships, and what NVIDIA rejects.

Two builds of one model differ in bytes, so nothing here compares plans.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from appliance.engines.graph import Port, Signature, read_signature
from appliance.engines.nvidia.api import Api
from appliance.engines.nvidia.build import BuildOptions, Built, build_plan, ranges_of
from appliance.engines.nvidia.fake_builder import ILogger, OnnxParser
from appliance.engines.nvidia.fake_device import FakeDevice
from appliance.engines.nvidia.fake_library import fake_tensorrt
from appliance.errors import EngineError
from appliance.models.bundle import read_bundle
from appliance.models.registry import shipped_models

OPTIONS = BuildOptions(threads=2, targets=("SM86", "SM89", "SM120"))
"""Plans for Ampere, Ada and Blackwell cards, made where none of them is."""
QUANTISED_KINDS = ["Conv", "Gemm", "MatMul", "Add", "MaxPool", "GlobalAveragePool"]
EXPLICIT = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    "AddQDQPairToWeight": True,
    "DedicatedQDQPair": True,
    "OpTypesToExcludeOutputQuantization": QUANTISED_KINDS,
}
"""Symmetric int8 with a float bias: what NVIDIA's parser, OpenVINO and ONNX Runtime all take."""

SHIPPED = [
    (bundle.name, precision)
    for bundle in sorted(shipped_models().iterdir())
    if (bundle / "card.toml").exists()
    for precision in read_bundle(bundle).model_sha256
]


def built(api: Api, model: Path, options: BuildOptions = OPTIONS) -> Built:
    return build_plan(api, model.read_bytes(), read_signature(model), options=options)


@pytest.mark.parametrize(("name", "precision"), SHIPPED)
def test_every_shipped_model_is_parsed_and_built(rtx: Api, name: str, precision: str) -> None:
    bundle = read_bundle(shipped_models() / name)
    model = bundle.model_in(precision)
    made = built(rtx, model)
    assert len(made.plan) > model.stat().st_size / 4
    assert made.timings is None  # RTX keeps none
    for input_name, golden in bundle.golden_inputs.items():
        smallest, _, largest = made.ranges[input_name]
        assert all(
            low <= size <= high for low, size, high in zip(smallest, golden.shape, largest, strict=True)
        )


class _Pictures(CalibrationDataReader):  # type: ignore[misc]  # the library ships no types
    def __init__(self, name: str, *shape: int) -> None:
        rng = np.random.default_rng(3)
        self._left: Iterator[dict[str, Any]] = iter(
            [{name: rng.uniform(0, 1, shape).astype(np.float32)} for _ in range(4)]
        )

    def get_next(self) -> dict[str, Any] | None:
        return next(self._left, None)


def quantised_view_model(folder: Path, *, activations: QuantType = QuantType.QInt8, **changed: bool) -> Path:
    """The smallest shipped classifier with Q/DQ made by ONNX Runtime's quantiser."""
    source = shipped_models() / "radiograph_view" / "model.onnx"
    prepared, model = folder / "prepared.onnx", folder / "model.int8.onnx"
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        model,
        _Pictures("image", 1, 1, 128, 128),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=activations,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=QUANTISED_KINDS,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={**EXPLICIT, **changed},
    )
    return model


def test_explicit_int8_is_built(rtx: Api, tmp_path: Path) -> None:
    model = quantised_view_model(tmp_path)
    assert read_signature(model).precision == "int8"
    assert built(rtx, model).plan


def test_half_precision_is_built(rtx: Api, tmp_path: Path) -> None:
    source = onnx.load(shipped_models() / "radiograph_view" / "model.onnx")
    model = tmp_path / "model.fp16.onnx"
    onnx.save(convert_float_to_float16(source, keep_io_types=True), model)
    assert read_signature(model).precision == "f16"
    assert built(rtx, model).plan


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"QuantizeBias": True, "AddQDQPairToWeight": False},
            "DequantizeLinear .*has type Int32 but must",
        ),
        ({"ActivationSymmetric": False}, "[Nn]on-zero zero point"),
        ({"activations": QuantType.QInt16}, "unsupported datatype"),
    ],
)
def test_what_nvidias_parser_rejects_is_named(
    rtx: Api, tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    model = quantised_view_model(tmp_path, **changed)
    with pytest.raises(EngineError, match=words) as error:
        built(rtx, model)
    assert "tensorrt_rtx 1.7" in error.value.what
    assert "docs/engines.md" in error.value.remedy


def unsigned(tmp_path: Path, code: type[np.generic]) -> Path:
    """`image` -> `edges`: Q/DQ with zero point 0 of that type before a convolution."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("QuantizeLinear", ["image", "grain", "zero"], ["coarse"]),
            helper.make_node("DequantizeLinear", ["coarse", "grain", "zero"], ["rounded"]),
            helper.make_node("Conv", ["rounded", "kernel"], ["edges"], pads=[1, 1, 1, 1]),
        ],
        "unsigned",
        [value("image", TensorProto.FLOAT, ["batch", 1, 32, 32])],
        [value("edges", TensorProto.FLOAT, ["batch", 1, 32, 32])],
        initializer=[
            numpy_helper.from_array(np.array(0.25, np.float32), "grain"),
            numpy_helper.from_array(np.array(0, code), "zero"),
            numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "kernel"),
        ],
    )
    path = tmp_path / "unsigned.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_the_warning_that_codes_are_read_as_signed_is_an_error(rtx: Api, tmp_path: Path) -> None:
    """NVIDIA only warns, and builds a plan in which every code above 127 is 127."""
    with pytest.raises(EngineError, match=r"unsigned 8-bit Q/DQ.*Defaulting to INT8"):
        built(rtx, unsigned(tmp_path, np.uint8))
    assert built(rtx, unsigned(tmp_path, np.int8)).plan


def test_a_size_below_which_there_is_no_output_moves_the_range(rtx: Api, tmp_path: Path) -> None:
    """Blocks of eight by eight pixels cannot be made of four: the smallest side becomes 16."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("SpaceToDepth", ["image"], ["blocks"], blocksize=8),
            helper.make_node("DepthToSpace", ["blocks"], ["again"], blocksize=8),
            helper.make_node("Add", ["image", "again"], ["twice"]),
        ],
        "blocks",
        [value("image", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        [value("twice", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
    )
    path = tmp_path / "blocks.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    assert built(rtx, path).ranges["image"] == ((1, 1, 16, 16), (1, 1, 512, 512), (8, 1, 1024, 1024))


def test_this_machines_gpu_is_a_target_only_where_there_is_one(rtx: Api, edges: Path) -> None:
    """What the engine asks for on a device; here the library's own words are the error."""
    try:
        made = built(rtx, edges, BuildOptions(threads=1, targets=("CURRENT",)))
    except EngineError as error:
        assert "CUDA" in error.what  # noqa: PT017  (there may be a GPU)
    else:
        assert made.plan


@pytest.mark.parametrize("target", ["SM87", "SM90"])
def test_a_target_that_the_library_does_not_know_is_refused(rtx: Api, edges: Path, target: str) -> None:
    with pytest.raises(EngineError, match=f"refuses to build for {target}"):
        built(rtx, edges, BuildOptions(threads=1, targets=(target,)))


def test_tensorrt_builds_for_the_gpu_that_is_there(edges: Path) -> None:
    with pytest.raises(EngineError, match="refuses to build for SM86"):
        built(fake_tensorrt(FakeDevice()), edges, BuildOptions(threads=1, targets=("SM86",)))


def test_tf32_is_switched_off(edges: Path) -> None:
    """The fake library builds nothing with it on, as a float32 plan would not be one."""
    assert built(fake_tensorrt(FakeDevice()), edges, BuildOptions(threads=1)).plan


def test_the_parser_lives_until_the_plan_is_there(edges: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are its own: the fake library refuses to build when it is gone, NVIDIA's may not notice."""
    api = fake_tensorrt(FakeDevice())
    assert built(api, edges, BuildOptions(threads=1)).plan
    monkeypatch.setattr(api.module, "OnnxParser", _Passing)
    with pytest.raises(EngineError, match="the parser is gone"):
        built(api, edges, BuildOptions(threads=1))


class _Passing:
    """A parser that does not outlive its parsing."""

    num_errors = 0

    def __init__(self, network: SimpleNamespace, logger: ILogger) -> None:
        self._made = (network, logger)

    def parse(self, content: bytes) -> bool:
        return OnnxParser(*self._made).parse(content)


def test_the_ranges_follow_from_the_axes() -> None:
    float32 = np.dtype(np.float32)
    signature = Signature(
        inputs=(
            Port(name="slice", shape=("batch", 1, "rows", None), dtype=float32),
            Port(name="fixed", shape=(1, 3, 320, 320), dtype=float32),
        ),
        outputs=(),
        precision="f32",
    )
    assert ranges_of(signature, BuildOptions(threads=1), smallest_side_px=16) == {
        "slice": ((1, 1, 16, 16), (1, 1, 512, 512), (8, 1, 1024, 1024)),
        "fixed": ((1, 3, 320, 320),) * 3,
    }


def test_everything_that_changes_a_plan_is_in_its_words() -> None:
    words = {
        options.words
        for options in (
            BuildOptions(threads=1),
            BuildOptions(threads=1, targets=("SM86",)),
            BuildOptions(threads=1, batches=(1, 1, 4)),
            BuildOptions(threads=1, usual_side_px=256),
            BuildOptions(threads=1, largest_side_px=2048),
        )
    }
    assert len(words) == 5
    assert BuildOptions(threads=1).words == BuildOptions(threads=8).words


def test_what_is_no_model_is_refused(rtx: Api, edges: Path) -> None:
    with pytest.raises(EngineError, match=r"refuses .*ONNX model"):
        build_plan(rtx, b"no model", read_signature(edges), options=OPTIONS)
