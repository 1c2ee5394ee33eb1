# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The run-time loop on the fake device, with numbers that ONNX Runtime computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.engines import ort
from appliance.engines.nvidia.driver import Gpu
from appliance.engines.nvidia.engine import NvidiaEngine, assemble
from appliance.engines.nvidia.fake_device import FakeDevice
from appliance.engines.nvidia.fake_library import IExecutionContext, fake_tensorrt
from appliance.engines.nvidia.loop import MOST_SHAPES
from appliance.errors import EngineError, EngineLostError, EngineMemoryError

Pictures = dict[int, NDArray[np.float32]]
QUEUED = ["copy_in", "execute", "copy_out", "copy_out"]
PREPARED = ["context", *["pin", "allocate"] * 3, "allocate"]
FIRST = [*PREPARED, *QUEUED, "synchronize", "begin_capture", *QUEUED, "end_capture"]
LATER = ["launch", "synchronize"]


@pytest.fixture
def load(device: FakeDevice, gpu: Gpu, edges: Path) -> Iterator[Callable[[], NvidiaEngine]]:
    loaded: list[NvidiaEngine] = []

    def loaded_now() -> NvidiaEngine:
        loaded.append(assemble(fake_tensorrt(device), gpu, device, edges, threads=1, cache=None))
        return loaded[-1]

    yield loaded_now
    for engine in loaded:
        engine.close()


def calls_of(device: FakeDevice, work: Callable[[], object]) -> list[str]:
    before = len(device.calls)
    work()
    return device.calls[before:]


def test_the_order_of_calls(load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures) -> None:
    engine = load()
    assert device.calls == ["open_stream"]
    assert calls_of(device, lambda: engine.infer({"image": pictures[1]})) == FIRST
    for _ in range(3):
        assert calls_of(device, lambda: engine.infer({"image": pictures[1]})) == LATER
    assert engine.without_graphs is None


def test_the_numbers_are_onnx_runtimes(
    load: Callable[[], NvidiaEngine], edges: Path, pictures: Pictures
) -> None:
    """Also in a launched graph, whose input changed since it was recorded."""
    engine = load()
    with ort.load(edges, threads=1) as reference:
        for batch in (1, 1, 1, 3, 3, 1, 8, 3):
            image = pictures[batch] * np.float32(batch + 1)
            pictures[batch] = image
            for name, value in reference.infer({"image": image}).items():
                np.testing.assert_array_equal(engine.infer({"image": image})[name], value)


def test_nothing_is_taken_from_the_device_after_the_first_run(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures
) -> None:
    engine = load()
    for batch in (1, 4):
        engine.infer({"image": pictures[batch]})
    held = device.held
    for _ in range(20):
        for batch in (4, 1):
            assert calls_of(device, lambda batch=batch: engine.infer({"image": pictures[batch]})) == LATER
    assert device.held == held == {"memory": 8, "pinned": 6, "streams": 1, "graphs": 2}


def test_only_the_most_recent_shapes_are_kept(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures
) -> None:
    engine = load()
    for batch in range(1, MOST_SHAPES + 1):
        engine.infer({"image": pictures[batch]})
    engine.infer({"image": pictures[1]})
    engine.infer({"image": pictures[MOST_SHAPES + 1]})  # the oldest is now 2
    assert device.held["graphs"] == MOST_SHAPES
    assert calls_of(device, lambda: engine.infer({"image": pictures[1]})) == LATER
    assert calls_of(device, lambda: engine.infer({"image": pictures[2]}))[-len(FIRST) :] == FIRST


def test_outputs_are_the_callers(load: Callable[[], NvidiaEngine], pictures: Pictures) -> None:
    engine = load()
    first = engine.infer({"image": pictures[1]})
    kept = {name: value.copy() for name, value in first.items()}
    second = engine.infer({"image": pictures[1] * np.float32(2)})
    for value in second.values():
        assert value.flags.owndata
        value[:] = 99
    for name, value in kept.items():
        np.testing.assert_array_equal(first[name], value)


def test_what_the_plan_was_not_built_for_is_refused(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures
) -> None:
    engine = load()
    with pytest.raises(EngineError, match=r"from \[1, 1, 4, 4\] to \[8, 1, 1024, 1024\], not for"):
        engine.infer({"image": pictures[9]})
    with pytest.raises(EngineError, match=r"not for \[0, 1, 16, 24\]"):
        engine.infer({"image": pictures[1][:0]})
    assert device.held["memory"] == 0
    assert engine.infer({"image": pictures[8]})["edges"].shape == (8, 1, 16, 24)


@pytest.mark.parametrize("runs", [0, 1, 2])
def test_closing_gives_everything_back(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures, runs: int
) -> None:
    engine = load()
    for _ in range(runs):
        for batch in (1, 2):
            engine.infer({"image": pictures[batch]})
    engine.close()
    assert not any(device.held.values())
    assert device.calls[-1] == "close"
    with pytest.raises(EngineError, match="closed"):
        engine.infer({"image": pictures[1]})


STEPS = ["context", "pin", "allocate", "copy_in", "execute", "copy_out", "synchronize"]


@pytest.mark.parametrize("step", STEPS)
def test_a_passing_fault_withholds_one_answer_and_no_more(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures, step: str
) -> None:
    engine = load()
    device.fail(step, "cudaErrorMemoryAllocation" if step == "context" else "cudaErrorLaunchOutOfResources")
    with pytest.raises(EngineError) as error:
        engine.infer({"image": pictures[1]})
    assert not isinstance(error.value, EngineLostError)
    with_fault = engine.infer({"image": pictures[1]})
    np.testing.assert_array_equal(with_fault["mean"], engine.infer({"image": pictures[1]})["mean"])
    engine.close()
    assert not any(device.held.values())


@pytest.mark.parametrize("step", [*STEPS[1:], "begin_capture", "end_capture"])
def test_a_lost_device_is_not_touched_again(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures, step: str
) -> None:
    engine = load()
    device.fail(step, "cudaErrorIllegalAddress")
    with pytest.raises(EngineLostError, match="cudaErrorIllegalAddress") as first:
        engine.infer({"image": pictures[1]})
    assert "started anew" in first.value.remedy
    before = len(device.calls)
    with pytest.raises(EngineLostError, match="cudaErrorIllegalAddress") as again:
        engine.infer({"image": pictures[1]})
    assert again.value is not first.value  # it would hold the image of the first
    assert len(device.calls) == before
    engine.close()
    assert device.calls[before:] == ["close"]


def test_a_lost_device_in_the_middle_of_a_graph(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures
) -> None:
    engine = load()
    engine.infer({"image": pictures[1]})
    device.fail("launch", "cudaErrorLaunchFailure")
    with pytest.raises(EngineLostError, match="launch: cudaErrorLaunchFailure"):
        engine.infer({"image": pictures[1]})


@pytest.mark.parametrize("step", ["pin", "allocate", "context"])
@pytest.mark.parametrize("after", [0, 2, 3])
def test_a_full_device_gives_up_other_shapes_first(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures, step: str, after: int
) -> None:
    engine = load()
    for batch in (1, 2):
        engine.infer({"image": pictures[batch]})
    most = {"context": 0, "pin": 2, "allocate": 3}[step]  # calls for one shape, less one
    device.fail(step, "cudaErrorMemoryAllocation", after=min(after, most))
    assert engine.infer({"image": pictures[3]})["edges"].shape == (3, 1, 16, 24)
    assert device.held == {"memory": 4, "pinned": 3, "streams": 1, "graphs": 1}


@pytest.mark.parametrize("step", ["pin", "allocate", "context"])
def test_a_device_that_is_full_without_us_is_said(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures, step: str
) -> None:
    engine = load()
    device.fail(step, "cudaErrorMemoryAllocation", after=0 if step == "context" else 1)
    with pytest.raises(EngineMemoryError, match="no memory left"):
        engine.infer({"image": pictures[1]})
    assert device.held == {"memory": 0, "pinned": 0, "streams": 1, "graphs": 0}


@pytest.mark.parametrize("step", ["begin_capture", "end_capture"])
def test_what_cannot_be_recorded_runs_call_by_call_and_says_so(
    load: Callable[[], NvidiaEngine], device: FakeDevice, edges: Path, pictures: Pictures, step: str
) -> None:
    engine = load()
    device.fail(step, "cudaErrorStreamCaptureUnsupported")
    outputs = engine.infer({"image": pictures[1]})  # the answer was there before the recording
    assert engine.without_graphs is not None
    assert "cudaErrorStreamCaptureUnsupported" in engine.without_graphs
    assert calls_of(device, lambda: engine.infer({"image": pictures[1]})) == [*QUEUED, "synchronize"]
    assert device.held["graphs"] == 0
    with ort.load(edges, threads=1) as reference:
        np.testing.assert_array_equal(outputs["edges"], reference.infer({"image": pictures[1]})["edges"])


def test_a_run_that_fails_while_recording_ends_the_recording(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures
) -> None:
    engine = load()
    device.fail("execute", "cudaErrorStreamCaptureUnsupported", after=1)
    engine.infer({"image": pictures[1]})
    assert engine.without_graphs is not None
    assert device.held["graphs"] == 0
    assert calls_of(device, lambda: engine.infer({"image": pictures[1]})) == [*QUEUED, "synchronize"]


def test_what_the_library_raises_while_recording_ends_the_recording(
    load: Callable[[], NvidiaEngine],
    device: FakeDevice,
    pictures: Pictures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = load()
    execute, runs = IExecutionContext.execute_async_v3, iter(range(9))

    def raising(self: IExecutionContext, stream_handle: int) -> bool:
        if next(runs) == 1:
            raise RuntimeError("a C++ exception")
        return execute(self, stream_handle)

    monkeypatch.setattr(IExecutionContext, "execute_async_v3", raising)
    for _ in range(2):
        engine.infer({"image": pictures[1]})
    assert engine.without_graphs == "tensorrt 10.3.0 failed to run: a C++ exception."
    assert device.held["graphs"] == 0


def test_a_device_that_cannot_record_is_not_asked(gpu: Gpu, edges: Path, pictures: Pictures) -> None:
    device = FakeDevice(captures=False)
    with assemble(fake_tensorrt(device), gpu, device, edges, threads=1, cache=None) as engine:
        for _ in range(2):
            engine.infer({"image": pictures[1]})
        assert engine.without_graphs == "nobody records them"
    assert "begin_capture" not in device.calls


def test_what_does_not_fit_the_graph_never_reaches_the_device(
    load: Callable[[], NvidiaEngine], device: FakeDevice, pictures: Pictures
) -> None:
    engine = load()
    for wrong in ({}, {"image": pictures[1].astype(np.float64)}, {"image": pictures[1][0]}):
        with pytest.raises(EngineError, match=r"inputs are|does not fit"):
            engine.infer(wrong)
    assert device.calls == ["open_stream"]
