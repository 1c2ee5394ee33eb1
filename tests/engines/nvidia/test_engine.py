# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From a model to a loaded engine: what is kept, what is built, and what is never loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.domain.record import from_plain
from appliance.engines import ort
from appliance.engines.graph import read_signature
from appliance.engines.nvidia.api import TENSORRT, Api
from appliance.engines.nvidia.build import BuildOptions, build_plan
from appliance.engines.nvidia.driver import Gpu
from appliance.engines.nvidia.engine import NvidiaEngine, assemble
from appliance.engines.nvidia.fake_builder import MAGIC, Builder
from appliance.engines.nvidia.fake_device import FakeDevice
from appliance.engines.nvidia.fake_library import fake_tensorrt
from appliance.engines.nvidia.fake_rtx import fake_rtx
from appliance.engines.nvidia.loaded_plan import LoadedPlan
from appliance.engines.nvidia.plan_cache import PlanCache, PlanKey
from appliance.errors import EngineError, EngineLostError, EnginePlanError
from appliance.models.bundle import read_bundle
from appliance.models.parity import compare
from appliance.models.registry import shipped_models


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every plan that the fake library has built."""
    built: list[bytes] = []
    build = Builder.build_serialized_network

    def noted(self: Builder, network: object, config: object) -> bytes | None:
        plan = build(self, network, config)  # type: ignore[arg-type]  # passed on as it came
        built.append(plan or b"")
        return plan

    monkeypatch.setattr(Builder, "build_serialized_network", noted)
    return built


def loaded(model: Path, gpu: Gpu, cache: Path | None, *, version: str = "10.3.0") -> NvidiaEngine:
    device = FakeDevice()
    return assemble(fake_tensorrt(device, version=version), gpu, device, model, threads=1, cache=cache)


def key_of(kind: str, folder: Path) -> PlanKey:
    """Under which the only one of that kind is kept."""
    (label,) = folder.glob(f"{kind}-*.json")
    return from_plain(PlanKey, json.loads(label.read_text(encoding="utf-8"))["key"])


def test_a_plan_is_built_once_per_device(edges: Path, gpu: Gpu, tmp_path: Path, builds: list[bytes]) -> None:
    for _ in range(3):
        with loaded(edges, gpu, tmp_path) as engine:
            assert engine.infer({"image": np.ones((1, 1, 8, 8), np.float32)})["mean"].item() == 1
    assert len(builds) == 1
    assert sorted(file.suffix for file in tmp_path.glob("plan-*")) == [".bin", ".json"]


@pytest.mark.parametrize("name", sorted(card.parent.name for card in shipped_models().glob("*/card.toml")))
def test_shipped_models_give_their_known_answers(name: str, gpu: Gpu, tmp_path: Path) -> None:
    """The whole way but the GPU: kept plan, page-locked memory, stream, recorded graph."""
    bundle = read_bundle(shipped_models() / name)
    for _ in range(2):
        with loaded(bundle.model, gpu, tmp_path) as engine:
            for _ in range(2):
                parity = compare(engine.infer(bundle.golden_inputs), bundle.golden_outputs)
                assert parity.reason is None


def test_without_a_folder_it_is_built_each_time(edges: Path, gpu: Gpu, builds: list[bytes]) -> None:
    for _ in range(2):
        loaded(edges, gpu, None).close()
    assert len(builds) == 2


def test_what_makes_a_plan_invalid_makes_a_new_one(
    edges: Path, dense: Path, gpu: Gpu, tmp_path: Path, builds: list[bytes]
) -> None:
    loaded(edges, gpu, tmp_path).close()
    loaded(edges, replace(gpu, name="Card B"), tmp_path).close()
    loaded(edges, replace(gpu, compute_capability=(8, 9)), tmp_path).close()
    loaded(edges, replace(gpu, driver="13.0 590.10"), tmp_path).close()
    loaded(edges, gpu, tmp_path, version="10.16.1").close()
    loaded(dense, gpu, tmp_path).close()
    assert len(builds) == 6
    loaded(edges, gpu, tmp_path).close()
    assert len(builds) == 6


def test_a_damaged_plan_is_built_anew(edges: Path, gpu: Gpu, tmp_path: Path, builds: list[bytes]) -> None:
    loaded(edges, gpu, tmp_path).close()
    (plan,) = tmp_path.glob("plan-*.bin")
    whole = plan.read_bytes()
    plan.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    loaded(edges, gpu, tmp_path).close()
    assert len(builds) == 2
    assert plan.read_bytes() == whole


def test_a_plan_that_the_library_does_not_take_is_built_anew(
    edges: Path, gpu: Gpu, tmp_path: Path, builds: list[bytes]
) -> None:
    loaded(edges, gpu, tmp_path).close()
    key = key_of("plan", tmp_path)
    PlanCache(tmp_path).keep("plan", key, b"whole, rightly labelled, and of another kind")
    loaded(edges, gpu, tmp_path).close()
    assert len(builds) == 2
    kept = PlanCache(tmp_path).read("plan", key)
    assert kept is not None
    assert kept.startswith(MAGIC)


def test_a_plan_of_another_model_is_seen(edges: Path, dense: Path) -> None:
    """By its inputs and outputs, even if the key said otherwise."""
    api = fake_tensorrt(FakeDevice())
    built = build_plan(api, dense.read_bytes(), read_signature(dense), options=BuildOptions(threads=1))
    plan = LoadedPlan(api, built.plan, threads=1)
    plan.check(read_signature(dense))
    with pytest.raises(EnginePlanError, match=r"its inputs and outputs are \['image', 'maps'\]"):
        plan.check(read_signature(edges))


def test_bytes_that_are_no_plan_are_refused_with_what_the_library_says() -> None:
    with pytest.raises(EnginePlanError, match="magic tag does not match"):
        LoadedPlan(fake_tensorrt(FakeDevice()), b"nonsense", threads=1)


def test_what_the_builder_measured_is_given_to_the_next_build(
    edges: Path, dense: Path, gpu: Gpu, tmp_path: Path
) -> None:
    for model in (edges, dense):
        loaded(model, gpu, tmp_path).close()
    (timings,) = tmp_path.glob("timings-*.bin")
    assert timings.read_bytes() == b"2"


def test_the_description_is_of_what_is_there(edges: Path, quantised: Path, gpu: Gpu) -> None:
    with loaded(edges, gpu, None) as engine:
        assert engine.describe().words == "tensorrt f32 Card A"
        assert engine.describe().version == "10.3.0"
    with loaded(quantised, gpu, None) as engine:
        assert engine.describe().words == "tensorrt int8 Card A"


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_a_model_that_cannot_be_had_leaves_nothing_open(
    tmp_path: Path, gpu: Gpu, content: bytes | None
) -> None:
    model = tmp_path / "model.onnx"
    if content is not None:
        model.write_bytes(content)
    device = FakeDevice()
    with pytest.raises(EngineError, match=r"model\.onnx"):
        assemble(fake_tensorrt(device), gpu, device, model, threads=1, cache=tmp_path)
    assert device.calls == ["close"]


def on_rtx(model: Path, gpu: Gpu, cache: Path) -> tuple[NvidiaEngine, FakeDevice]:
    device = FakeDevice()
    return assemble(fake_rtx(device), gpu, device, model, threads=1, cache=cache), device


def test_rtx_records_graphs_by_itself(edges: Path, gpu: Gpu, tmp_path: Path) -> None:
    engine, device = on_rtx(edges, gpu, tmp_path)
    with engine, ort.load(edges, threads=1) as reference:
        for _ in range(3):
            image = np.random.default_rng(1).normal(size=(1, 1, 8, 8)).astype(np.float32)
            expected = reference.infer({"image": image})["edges"]
            np.testing.assert_array_equal(engine.infer({"image": image})["edges"], expected)
        assert engine.without_graphs == "tensorrt_rtx 1.7.1 records them"
    assert not {"begin_capture", "launch"} & set(device.calls)


def test_what_rtx_compiled_is_not_compiled_again(edges: Path, gpu: Gpu, tmp_path: Path) -> None:
    for kept in (b"kernels 1", b"kernels 7"):
        engine, _ = on_rtx(edges, gpu, tmp_path)
        with engine:
            engine.infer({"image": np.zeros((1, 1, 8, 8), np.float32)})
        assert PlanCache(tmp_path).read("kernels", key_of("kernels", tmp_path)) == kept
        PlanCache(tmp_path).keep("kernels", key_of("kernels", tmp_path), b"kernels 7")


def test_kernels_of_a_lost_device_are_not_kept(edges: Path, gpu: Gpu, tmp_path: Path) -> None:
    engine, device = on_rtx(edges, gpu, tmp_path)
    device.fail("synchronize", "cudaErrorLaunchTimeout")
    with engine, pytest.raises(EngineLostError):
        engine.infer({"image": np.zeros((1, 1, 8, 8), np.float32)})
    assert list(tmp_path.glob("kernels-*")) == []


def test_rtx_is_asked_whether_a_plan_is_valid() -> None:
    with pytest.raises(EnginePlanError, match="not valid on this device"):
        LoadedPlan(fake_rtx(FakeDevice()), b"of another card", threads=1)


RTX_CHILD = """
import sys
from pathlib import Path
from appliance.engines.graph import read_signature
from appliance.engines.nvidia.api import open_api
from appliance.engines.nvidia.build import BuildOptions, build_plan
from appliance.engines.nvidia.loaded_plan import LoadedPlan
from appliance.errors import EnginePlanError
api, model = open_api("tensorrt_rtx"), Path(sys.argv[1])
options = BuildOptions(threads=1, targets=("SM120",))
plan = build_plan(api, model.read_bytes(), read_signature(model), options=options).plan
for content in (plan[: len(plan) // 2], b"nonsense"):
    try:
        LoadedPlan(api, content, threads=1)
    except EnginePlanError as error:
        print(error.what)
"""


def test_the_real_rtx_does_not_take_half_a_plan(rtx: Api, edges: Path) -> None:
    """In a child: it is the one place where damaged bytes meet the real library."""
    child = subprocess.run(
        [sys.executable, "-c", RTX_CHILD, str(edges)], capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.count(f"does not fit {rtx.words} on this device") == 2


def test_a_gpu_that_rtx_does_not_serve_is_named(rtx: Api, gpu: Gpu, edges: Path) -> None:
    orin = replace(gpu, name="Orin", compute_capability=(8, 7))
    device = FakeDevice()
    with pytest.raises(
        EngineError, match=r"does not serve this GPU: Orin \(compute capability 8\.7"
    ) as error:
        assemble(rtx, orin, device, edges, threads=1, cache=None)
    assert "tensorrt" in error.value.remedy
    assert device.calls == ["close"]


CHILD = """
import sys
from pathlib import Path
from appliance.engines.catalogue import engine_device_key, load_engine
from appliance.errors import EngineError
for call in (lambda: engine_device_key(sys.argv[1]),
             lambda: load_engine(sys.argv[1], Path(sys.argv[2]), threads=1, cache=Path(sys.argv[3]))):
    try:
        call()
    except EngineError as error:
        print("refused:", error.what)
    else:
        print("there")
"""


@pytest.mark.parametrize("name", [TENSORRT, "tensorrt_rtx", "cuda"])
def test_without_a_gpu_each_engine_says_so_and_lives(name: str, edges: Path, tmp_path: Path) -> None:
    """In a child: with no driver, some of NVIDIA's runtimes end the process."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, name, str(edges), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    device, load = child.stdout.splitlines()
    if device == "there":
        pytest.skip("there is a GPU")
    assert device.startswith("refused: No NVIDIA GPU can be used on this device")
    assert load == device
    assert list(tmp_path.iterdir()) == []
