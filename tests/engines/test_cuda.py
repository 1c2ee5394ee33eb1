# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's CUDA engine: the binding on the processor's memory, the errors, and no silent fall-back."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

from appliance.engines import cuda, ort
from appliance.engines.base import EngineDescription
from appliance.engines.catalogue import engine_version
from appliance.engines.cuda import BoundEngine, gpu_fault
from appliance.engines.graph import read_signature
from appliance.engines.nvidia.driver import Gpu
from appliance.errors import EngineError, EngineLostError, EngineMemoryError


def bound(model: Path) -> BoundEngine:
    """The same engine over the processor's memory."""
    signature = read_signature(model)
    return BoundEngine(
        ort.open_session(model, signature=signature, threads=1),
        signature=signature,
        description=EngineDescription(engine="cuda", version="0", precision="f32", device="CPU"),
        memory="cpu",
    )


def test_bound_inputs_are_renewed_and_outputs_are_the_callers(edges: Path) -> None:
    rng = np.random.default_rng(2)
    kept = []
    with bound(edges) as engine, ort.load(edges, threads=1) as reference:
        for batch in (1, 1, 3, 1):
            image = rng.normal(size=(batch, 1, 16, 16)).astype(np.float32)
            expected = reference.infer({"image": image})
            kept.append((engine.infer({"image": image}), expected))
    for outputs, expected in kept:
        for name, value in expected.items():
            assert outputs[name].flags.owndata
            np.testing.assert_array_equal(outputs[name], value)


def test_an_input_of_the_same_shape_is_not_bound_anew(edges: Path) -> None:
    with bound(edges) as engine:
        image = np.zeros((1, 1, 8, 8), np.float32)
        engine.infer({"image": image})
        first = engine._values["image"]
        engine.infer({"image": image})
        assert engine._values["image"] is first
        engine.infer({"image": image[:, :, :4]})
        assert engine._values["image"] is not first


def gpu_package() -> bool:
    try:
        version(cuda.PACKAGE)
    except PackageNotFoundError:
        return False
    return True


def test_without_its_package_it_is_absent() -> None:
    if gpu_package():
        pytest.skip(f"{cuda.PACKAGE} is installed")
    with pytest.raises(EngineError, match="The engine cuda is not installed on this device"):
        engine_version("cuda")


def test_with_a_gpu_but_the_plain_package_it_says_what_to_install(
    edges: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if gpu_package():
        pytest.skip(f"{cuda.PACKAGE} is installed")
    card = Gpu(name="Card A", compute_capability=(8, 6), driver="13.0", memory_bytes=1)
    monkeypatch.setattr(cuda, "probe_driver", lambda: card)
    with pytest.raises(EngineError, match="cannot use a GPU: it has only") as error:
        cuda.load(edges, threads=1)
    assert "onnxruntime-gpu" in error.value.remedy


def test_a_session_that_fell_back_is_refused(edges: Path) -> None:
    """ONNX Runtime only logs a line and computes on the processor (seen with 1.31)."""
    signature = read_signature(edges)
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(EngineError, match=r"asked for CUDAExecutionProvider and gave \['CPUExecution"),
    ):
        ort.open_session(edges, signature=signature, threads=1, provider=cuda.PROVIDER, options=cuda.OPTIONS)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("CUDA failure 700: an illegal memory access was encountered ; GPU=0", EngineLostError),
        ("CUDA failure 719: unspecified launch failure ; GPU=0", EngineLostError),
        ("CUDA failure 2: out of memory ; GPU=0", EngineMemoryError),
        ("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer", EngineMemoryError),
        ("CUDA failure 701: too many resources requested for launch", EngineError),
        ("Got invalid dimensions for input", EngineError),
    ],
)
def test_what_it_says_of_a_run_has_a_class(said: str, kind: type[EngineError]) -> None:
    assert type(gpu_fault(said)) is kind
