# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One suite for every engine that is found by name. Those that give zeros: all but the numbers.

The engine `remote` needs a server: test_remote.py and test_remote_triton.py ask it the same.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from appliance.engines.base import Engine
from appliance.engines.catalogue import REMOTE, engine_device_key, engine_names, engine_version, load_engine
from appliance.engines.checked import fit_output
from appliance.errors import EngineError

EDGES = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], dtype=np.float32)


@pytest.fixture(params=[name for name in engine_names() if name != REMOTE])
def name(request: pytest.FixtureRequest) -> str:
    engine = str(request.param)
    try:
        engine_version(engine)
        engine_device_key(engine)
    except EngineError as error:
        pytest.skip(f"{error}")
    return engine


@pytest.fixture
def computes(name: str) -> bool:
    """Whether the engine gives numbers that mean something."""
    return name not in {"null", "faulty"}


def picture(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def expected(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack(
        [cv2.filter2D(frame[0], cv2.CV_32F, EDGES, borderType=cv2.BORDER_CONSTANT)[None] for frame in image]
    )


def test_batch_and_size_may_change_from_run_to_run(name: str, computes: bool, edges: Path) -> None:
    with load_engine(name, edges, threads=1) as engine:
        for shape in ((1, 1, 16, 24), (3, 1, 16, 24), (1, 1, 40, 8), (2, 1, 5, 7)):
            image = picture(*shape)
            outputs = engine.infer({"image": image})
            assert set(outputs) == {"edges", "mean"}
            assert outputs["edges"].shape == shape
            assert outputs["mean"].shape == (shape[0], 1, 1, 1)
            assert all(value.dtype == np.float32 for value in outputs.values())
            if computes:
                np.testing.assert_allclose(outputs["edges"], expected(image), atol=1e-4)
                np.testing.assert_allclose(outputs["mean"].ravel(), image.mean(axis=(1, 2, 3)), atol=1e-5)


def test_an_input_need_not_be_contiguous_and_stays_as_it_is(name: str, computes: bool, edges: Path) -> None:
    image = picture(1, 1, 32, 48)[:, :, ::2, ::3]
    image.flags.writeable = False
    before = image.copy()
    with load_engine(name, edges, threads=1) as engine:
        outputs = engine.infer({"image": image})
    np.testing.assert_array_equal(image, before)
    if computes:
        np.testing.assert_allclose(outputs["edges"], expected(image), atol=1e-4)


def test_outputs_belong_to_the_caller(name: str, edges: Path) -> None:
    with load_engine(name, edges, threads=1) as engine:
        first = engine.infer({"image": picture(1, 1, 8, 8, seed=1)})
        kept = {key: value.copy() for key, value in first.items()}
        second = engine.infer({"image": picture(1, 1, 8, 8, seed=2)})
        second["edges"][:] = 99  # they may be written to without harm to anybody
    for key, value in kept.items():
        np.testing.assert_array_equal(first[key], value)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "inputs are"),
        ({"picture": picture(1, 1, 8, 8)}, "inputs are"),
        ({"image": picture(1, 1, 8, 8), "more": picture(1)}, "inputs are"),
        ({"image": picture(1, 8, 8)}, "does not fit"),
        ({"image": picture(1, 2, 8, 8)}, "does not fit"),
        ({"image": picture(1, 1, 8, 8).astype(np.float64)}, "does not fit"),
        ({"image": picture(1, 1, 8, 8).astype(np.uint16)}, "does not fit"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_engine_lives_on(
    name: str, edges: Path, inputs: dict[str, NDArray[np.generic]], words: str
) -> None:
    with load_engine(name, edges, threads=1) as engine:
        with pytest.raises(EngineError, match=words):
            engine.infer(inputs)
        assert engine.infer({"image": picture(1, 1, 8, 8)})["edges"].shape == (1, 1, 8, 8)


def test_a_closed_engine_refuses(name: str, edges: Path) -> None:
    engine: Engine = load_engine(name, edges, threads=1)
    with engine as same:
        assert same is engine
    with pytest.raises(EngineError, match="closed"):
        engine.infer({"image": picture(1, 1, 8, 8)})
    engine.close()


def test_the_description_is_what_runs(name: str, computes: bool, edges: Path) -> None:
    with load_engine(name, edges, threads=1) as engine:
        description = engine.describe()
    assert description.engine == name
    assert description.version == engine_version(name)
    assert description.precision == ("f32" if computes else "none")
    if engine_device_key(name):
        assert engine_device_key(name).startswith(description.device)
    else:
        assert description.device == ("CPU" if computes else "none")


def test_float32_is_computed_in_float32(name: str, computes: bool, dense: Path) -> None:
    """The same convolutions in float64: bfloat16 would be off by a hundredth, float32 by a millionth."""
    if not computes:
        pytest.skip("gives no numbers")
    image = picture(1, 8, 64, 64)
    with load_engine(name, dense, threads=1) as engine:
        maps = engine.infer({"image": image})["maps"][0]
    exact = _in_float64(dense, image)
    assert np.abs(maps - exact).max() / np.abs(exact).max() < 1e-5


def _in_float64(model: Path, image: NDArray[np.float32]) -> NDArray[np.float64]:
    maps = image[0].astype(np.float64)
    for weights in onnx.load(model).graph.initializer:
        kernel = numpy_helper.to_array(weights).astype(np.float64)
        padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        maps = np.einsum("oiyx,ircyx->orc", kernel, windows)
    return maps


def test_weights_that_are_stored_as_int8_are_computed_in_float32(
    name: str, computes: bool, packed: Path
) -> None:
    image = picture(1, 1, 32, 32)
    with load_engine(name, packed, threads=1) as engine:
        outputs = engine.infer({"image": image})
        if computes:
            assert engine.describe().precision == "f32"
            np.testing.assert_allclose(outputs["edges"], expected(image), atol=1e-4)


def test_a_quantised_network_is_rounded_and_says_so(name: str, computes: bool, quantised: Path) -> None:
    image = picture(1, 1, 32, 32)
    rounded = np.rint(image * 4) / 4  # within int8: the picture is smaller than 31.75
    with load_engine(name, quantised, threads=1) as engine:
        outputs = engine.infer({"image": image})
        if computes:
            np.testing.assert_allclose(outputs["edges"], expected(rounded), atol=1e-3)
            assert engine.describe().precision == "int8"


def test_nan_comes_out_as_nan_and_is_caught(name: str, computes: bool, root: Path) -> None:
    with load_engine(name, root, threads=1) as engine:
        good = engine.infer({"x": np.array([[0, 1, 4, 9]], np.float32)})
        bad = engine.infer({"x": np.array([[0, -1, 4, np.inf]], np.float32)})
    assert fit_output(good, "root", (1, 4)).shape == (1, 4)
    if computes:
        with pytest.raises(EngineError, match="2 of 4 values of the output 'root' are not numbers"):
            fit_output(bad, "root", (1, 4))


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08" * 40])
def test_a_file_that_is_no_model_is_refused(name: str, tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(content)
    with pytest.raises(EngineError):
        load_engine(name, broken, threads=1).infer({})


def test_a_missing_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"model\.onnx"):
        load_engine(name, tmp_path / "model.onnx", threads=1)


CHILD = """
import json, os, resource, sys
from pathlib import Path

seen = []
WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "os.fork", "subprocess.Popen")
sys.addaudithook(lambda event, args: seen.append(event) if event in WATCHED else None)

import numpy as np
from appliance.clock import SystemClock
from appliance.engines.catalogue import load_engine

name, model, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with load_engine(name, model, threads=threads) as engine:
    image = np.ones((1, 8, 64, 64), np.float32)
    for _ in range(5):
        engine.infer({"image": image})
    used = resource.getrusage(resource.RUSAGE_SELF)
    SystemClock().sleep(0.4)
    later = resource.getrusage(resource.RUSAGE_SELF)
    tasks = len(os.listdir("/proc/self/task"))
    files = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
print(json.dumps({
    "seen": seen,
    "idle_s": later.ru_utime + later.ru_stime - used.ru_utime - used.ru_stime,
    "tasks": tasks,
    "sockets": [file for file in files if "socket:" in file],
}))
"""


def run_child(
    name: str, model: Path, home: Path, *, threads: int, under: tuple[str, ...] = ()
) -> dict[str, Any]:
    home.mkdir()
    child = subprocess.run(
        [*under, sys.executable, "-c", CHILD, name, str(model), str(threads)],
        env={
            "HOME": str(home),
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told: dict[str, Any] = json.loads(child.stdout)
    return told


@pytest.mark.parametrize("threads", [1, 2])
def test_an_engine_is_quiet(name: str, dense: Path, tmp_path: Path, threads: int) -> None:
    """No connection, no process, no file in the home folder, no thread too many, no time used when idle."""
    told = run_child(name, dense, tmp_path / "home", threads=threads)
    assert told["seen"] == []
    assert told["sockets"] == []
    assert list((tmp_path / "home").iterdir()) == []
    assert told["idle_s"] < 0.05
    assert told["tasks"] <= threads + 2


def test_an_engine_makes_no_network_call_of_its_own(name: str, dense: Path, tmp_path: Path) -> None:
    """Native code is not seen by Python's audit hooks, but by the kernel."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    run_child(
        name,
        dense,
        tmp_path / "home",
        threads=1,
        under=(strace, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace)),
    )
    calls = [
        line for line in trace.read_text(encoding="utf-8").splitlines() if "(" in line and "SIG" not in line
    ]
    assert calls == []
