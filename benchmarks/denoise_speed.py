# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How long the shipped CT denoiser takes for a slice beside RED-CNN, whose quality is the bar.

`python -m benchmarks.denoise_speed [--json FILE]`

RED-CNN (Chen and others, IEEE Trans Med Imaging 2017) has ten layers of 96 channels and 5 x 5 kernels at
full resolution. It is built here with random weights: its time does not depend on them, and nothing is
said about its quality. Both run in the same engines on the same threads, in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime
import openvino
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from appliance.clock import NS_PER_MS, Clock, SystemClock

CHANNELS: Final = 96
LAYERS: Final = 5
"""Convolutions, and as many transposed ones behind them."""
KERNEL_PX: Final = 5
SIDE_PX: Final = 512
ROUNDS: Final = 3
SHIPPED: Final = Path(__file__).parents[1] / "appliance" / "models_shipped" / "ct_denoise" / "model.onnx"
Run = Callable[[NDArray[np.float32]], object]


def write_red_cnn(path: Path, *, channels: int = CHANNELS, seed: int = 1) -> int:
    """Write the graph; returns its multiplications per output pixel (borders left out)."""
    random = np.random.default_rng(seed)
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []

    def layer(kind: str, number: int, source: str, size: tuple[int, int]) -> str:
        name = f"{kind}{number}"
        scale = (2.0 / (size[0] * KERNEL_PX**2)) ** 0.5
        shape = size[::-1] if kind == "Conv" else size  # ConvTranspose stores the inputs first
        weight = random.normal(0, scale, (*shape, KERNEL_PX, KERNEL_PX)).astype(np.float32)
        weights.extend(
            [
                numpy_helper.from_array(weight, f"{name}.weight"),
                numpy_helper.from_array(np.zeros(size[1], np.float32), f"{name}.bias"),
            ]
        )
        inputs = [source, f"{name}.weight", f"{name}.bias"]
        nodes.append(helper.make_node(kind, inputs, [name], kernel_shape=[KERNEL_PX, KERNEL_PX]))
        return name

    def relu(source: str) -> str:
        nodes.append(helper.make_node("Relu", [source], [f"{source}.relu"]))
        return f"{source}.relu"

    tensors = ["slice"]
    for number in range(LAYERS):
        tensors.append(relu(layer("Conv", number, tensors[-1], (1 if number == 0 else channels, channels))))
    here = tensors[-1]
    shortcuts = {0: tensors[4], 2: tensors[2], 4: tensors[0]}
    for number in range(LAYERS):
        here = layer("ConvTranspose", number, here, (channels, 1 if number == LAYERS - 1 else channels))
        if number in shortcuts:
            nodes.append(helper.make_node("Add", [here, shortcuts[number]], [f"sum{number}"]))
            here = f"sum{number}"
        here = relu(here)
    nodes.append(helper.make_node("Identity", [here], ["denoised"]))
    shape: list[int | str | None] = ["batch", 1, "rows", "columns"]
    graph = helper.make_graph(
        nodes,
        "red_cnn",
        [helper.make_tensor_value_info("slice", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("denoised", TensorProto.FLOAT, shape)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return (2 * LAYERS - 2) * channels**2 * KERNEL_PX**2 + 2 * channels * KERNEL_PX**2


def in_ort(model: Path, *, threads: int) -> Run:
    """The model in ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lambda values: session.run(None, {"slice": values})


def in_openvino(model: Path, *, threads: int) -> Run:
    """The model in OpenVINO, float32."""
    known = {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = openvino.Core().compile_model(str(model), "CPU", known)
    return lambda values: compiled({"slice": values})


def compare(
    models: dict[str, Path],
    *,
    clock: Clock,
    threads: int = 1,
    side_px: int = SIDE_PX,
    rounds: int = ROUNDS,
) -> dict[str, dict[str, float]]:
    """Median milliseconds per slice by engine and model, the models in turn within each round."""
    random = np.random.default_rng(2)
    values = random.normal(0, 50, (1, 1, side_px, side_px)).astype(np.float32)
    found: dict[str, dict[str, float]] = {}
    for engine, build in (("ort", in_ort), ("openvino", in_openvino)):
        runs = {name: build(path, threads=threads) for name, path in models.items()}
        for run in runs.values():
            run(values)
        spent: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                start = clock.monotonic_ns()
                run(values)
                spent[name].append((clock.monotonic_ns() - start) / NS_PER_MS)
        found[engine] = {name: statistics.median(times) for name, times in spent.items()}
    return found


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", type=int, default=SIDE_PX, help="rows and columns of the slice")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        peer = Path(folder) / "red_cnn.onnx"
        per_pixel = write_red_cnn(peer)
        models = {"ct_denoise": SHIPPED, "red_cnn": peer}
        found = compare(models, clock=SystemClock(), threads=arguments.threads, side_px=arguments.side)
    report = {
        "milliseconds": found,
        "times_faster": {engine: times["red_cnn"] / times["ct_denoise"] for engine, times in found.items()},
        "red_cnn_gflop": 2 * per_pixel * arguments.side**2 / 1e9,
        "side_px": arguments.side,
        "threads": arguments.threads,
        "rounds": ROUNDS,
    }
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.json is not None:
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
