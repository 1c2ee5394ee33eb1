# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.engine_matrix.peaks THREADS`: what this processor computes and copies at most.

Products of large square matrices in float32 and in 8-bit integers by every library that is at hand, the best
of each; and a copy of memory. The numbers that networks are held against, from the same run. A process of
its own: a library takes its number of threads from the environment when it is loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from appliance.clock import Clock, SystemClock
from appliance.domain.record import from_json
from appliance.engines.catalogue import unusable
from benchmarks.engine_matrix.spent import Spent, best_of

SIDE: Final = 1536
"""Of the matrices: 9 MB each in float32, several times the caches, 7.2 GFLOP a product."""
CHAIN: Final = 4
"""Products in a row, so that quantising the first input does not count."""
COPY_BYTES: Final = 256 * 1024**2
MEASURED_S: Final = 1.5
"""For each library: the best of some ten to a hundred products."""
TIMEOUT_S: Final = 300.0
GIGA: Final = 1e9
THREAD_VARIABLES: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """With a number of threads."""

    threads: int
    f32_gflops: float
    """10^9 operations a second by the clock, two for each multiplication and addition; the best library's."""
    int8_gops: float
    copy_gb_s: float
    """Read and written together, by the clock."""
    f32_core_gflops: float
    """The same for each second of processor time: what one core does that is not kept from working."""
    int8_core_gops: float
    copy_core_gb_s: float
    f32_by: dict[str, float]
    """Each library's `f32_core_gflops`."""
    int8_by: dict[str, float]


def measure_peak(threads: int) -> Peak:
    """In a process of its own. Raises CalledProcessError, TimeoutExpired."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.engine_matrix.peaks", str(threads)],
        env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))},
        stdout=subprocess.PIPE,
        timeout=TIMEOUT_S,
        text=True,
        check=True,
    )
    return from_json(Peak, done.stdout.splitlines()[-1])


def _here(threads: int, clock: Clock) -> Peak:
    import numpy as np  # noqa: PLC0415  (its threads are settled when it is loaded)

    flop = 2.0 * SIDE**3
    one = np.random.default_rng(1).random((SIDE, SIDE), dtype=np.float32)
    other, out = one.T.copy(), np.empty_like(one)
    spent = best_of(lambda: np.matmul(one, other, out=out), clock, seconds=MEASURED_S)
    f32 = {"numpy": _rates(flop, spent)}
    int8: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (integer, run) in _by_engines(Path(folder), threads):
            spent = best_of(run, clock, seconds=MEASURED_S)
            (int8 if integer else f32)[name] = _rates(CHAIN * flop, spent)
    source = np.ones(COPY_BYTES // 8)
    target = np.zeros_like(source)
    copied = _rates(2.0 * COPY_BYTES, best_of(lambda: np.copyto(target, source), clock, seconds=MEASURED_S))
    return Peak(
        threads=threads,
        f32_gflops=max(wall for wall, _ in f32.values()),
        int8_gops=max(wall for wall, _ in int8.values()),
        copy_gb_s=copied[0],
        f32_core_gflops=max(core for _, core in f32.values()),
        int8_core_gops=max(core for _, core in int8.values()),
        copy_core_gb_s=copied[1],
        f32_by={name: core for name, (_, core) in f32.items()},
        int8_by={name: core for name, (_, core) in int8.items()},
    )


def _rates(amount: float, spent: Spent) -> tuple[float, float]:
    """10^9 a second by the clock, and for each second of the processor."""
    return round(amount / spent.wall_s / GIGA, 1), round(amount / spent.cpu_s / GIGA, 1)


def _by_engines(folder: Path, threads: int) -> Iterator[tuple[str, tuple[bool, Callable[[], object]]]]:
    """Products in the engines that are here: name, whether in integers, and how to run one chain."""
    import numpy as np  # noqa: PLC0415

    from appliance.engines.openvino import quiet_openvino  # noqa: PLC0415
    from appliance.engines.ort import quiet_onnxruntime  # noqa: PLC0415

    values = np.random.default_rng(2).random((SIDE, SIDE), dtype=np.float32)
    onnxruntime = quiet_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    for integer, write in ((False, write_products), (True, write_integer_products)):
        model = write(folder / f"ort-{integer}.onnx")
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        given = {"x": (values * 255).astype(np.uint8) if integer else values}
        yield "ort", (integer, partial(session.run, None, given))
    if unusable("openvino") is None:
        known = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
        for integer, write in ((False, write_products), (True, write_quantised_products)):
            model = write(folder / f"openvino-{integer}.onnx")
            request = quiet_openvino().Core().compile_model(str(model), "CPU", known).create_infer_request()
            yield "openvino", (integer, partial(request.infer, {"x": values}, share_inputs=True))


def write_products(path: Path, *, side: int = SIDE) -> Path:
    """CHAIN products in float32."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    nodes = [
        helper.make_node("MatMul", [f"h{n}" if n else "x", f"w{n}"], [f"h{n + 1}"]) for n in range(CHAIN)
    ]
    return _save(path, nodes, {f"w{n}": _weights(n, side) for n in range(CHAIN)}, TensorProto.FLOAT, side)


def write_quantised_products(path: Path, *, side: int = SIDE) -> Path:
    """The same with 8-bit activations and weights between Q/DQ pairs, as in a quantised bundle."""
    import numpy as np  # noqa: PLC0415
    from onnx import TensorProto, helper  # noqa: PLC0415

    nodes, weights = [], {"scale": np.float32(0.02), "zero": np.uint8(0), "fine": np.float32(1e-3)}
    last = "x"
    for n in range(CHAIN):
        weights[f"w{n}"] = (_weights(n, side) * 127).astype(np.int8)
        nodes += [
            helper.make_node("QuantizeLinear", [last, "scale", "zero"], [f"q{n}"]),
            helper.make_node("DequantizeLinear", [f"q{n}", "scale", "zero"], [f"d{n}"]),
            helper.make_node("DequantizeLinear", [f"w{n}", "fine"], [f"dw{n}"]),
            helper.make_node("MatMul", [f"d{n}", f"dw{n}"], [f"h{n + 1}"]),
        ]
        last = f"h{n + 1}"
    return _save(path, nodes, weights, TensorProto.FLOAT, side)


def write_integer_products(path: Path, *, side: int = SIDE) -> Path:
    """CHAIN products of bytes by ONNX's own operator, side by side."""
    import numpy as np  # noqa: PLC0415
    from onnx import TensorProto, helper  # noqa: PLC0415

    weights = {f"w{n}": (_weights(n, side) * 127).astype(np.int8) for n in range(CHAIN)}
    nodes = [helper.make_node("MatMulInteger", ["x", f"w{n}"], [f"i{n}"]) for n in range(CHAIN)]
    nodes += [
        helper.make_node("Add", [f"s{n}" if n else "i0", f"i{n + 1}"], [f"s{n + 1}"])
        for n in range(CHAIN - 1)
    ]
    nodes.append(helper.make_node("Cast", [f"s{CHAIN - 1}"], [f"h{CHAIN}"], to=TensorProto.FLOAT))
    return _save(path, nodes, weights, TensorProto.UINT8, side)


def _weights(seed: int, side: int) -> Any:
    import numpy as np  # noqa: PLC0415

    return np.random.default_rng(seed).uniform(-1, 1, (side, side)).astype(np.float32)


def _save(path: Path, nodes: list[Any], weights: dict[str, Any], kind: int, side: int) -> Path:
    import numpy as np  # noqa: PLC0415
    import onnx  # noqa: PLC0415
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", kind, [side, side])],
        [helper.make_tensor_value_info(f"h{CHAIN}", TensorProto.FLOAT, [side, side])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


if __name__ == "__main__":
    print(json.dumps(asdict(_here(int(sys.argv[1]), SystemClock()))))
