# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The device through cuda-bindings: its calls are there, and it fails in words where there is no driver."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.engines.nvidia.cuda_python import CALLS, RUNTIME, CudaPython, open_first
from appliance.engines.nvidia.driver import probe_driver
from appliance.errors import EngineError


def test_every_call_exists_in_the_installed_bindings() -> None:
    runtime = importlib.import_module(RUNTIME)
    assert [call for call in CALLS if not callable(getattr(runtime, call, None))] == []


def test_the_bindings_handles_are_numbers_as_tensorrt_takes_them() -> None:
    runtime = importlib.import_module(RUNTIME)
    assert int(runtime.cudaStream_t(4096)) == 4096
    assert int(runtime.cudaGraphExec_t(8192)) == 8192


def test_without_a_driver_it_says_so() -> None:
    try:
        probe_driver()
    except EngineError:
        with pytest.raises(EngineError, match="cudaSetDevice: cudaErrorInsufficientDriver"):
            open_first()
    else:
        pytest.skip("there is a GPU: the test below is the one that counts")


def test_on_a_gpu_bytes_come_back_as_they_went() -> None:
    try:
        probe_driver()
    except EngineError as error:
        pytest.skip(f"{error}")
    device = open_first()
    stream = device.open_stream()
    sent, returned = device.pin((3, 5), np.float32), device.pin((3, 5), np.float32)
    memory = device.allocate(sent.nbytes)
    sent[:] = np.arange(15, dtype=np.float32).reshape(3, 5)
    returned[:] = -1
    device.begin_capture(stream)
    device.copy_in(memory, sent, stream)
    device.copy_out(returned, memory, stream)
    graph = device.end_capture(stream)
    device.launch(graph, stream)
    device.synchronize(stream)
    np.testing.assert_array_equal(returned, sent)
    device.drop_graph(graph)
    device.free(memory)
    for array in (sent, returned):
        device.unpin(array)
    device.close_stream(stream)
    device.close()


Calls = dict[str, Callable[..., tuple[Any, ...]]]


@pytest.fixture
def memory() -> dict[int, NDArray[np.uint8]]:
    """Address to bytes: what the runtime below has given out."""
    return {}


@pytest.fixture
def runtime(memory: dict[int, NDArray[np.uint8]]) -> SimpleNamespace:
    """cuda-bindings' way of answering (an error and values in a tuple), over host memory."""
    errors = importlib.import_module(RUNTIME).cudaError_t
    good = errors.cudaSuccess
    destroyed: list[int] = []

    def allocate(size_bytes: int) -> tuple[Any, ...]:
        array = np.zeros(size_bytes, np.uint8)
        memory[array.ctypes.data] = array
        return (good, array.ctypes.data)

    def free(address: int) -> tuple[Any, ...]:
        del memory[address]
        return (good,)

    def copy(target: int, source: int, size_bytes: int, kind: int, stream: int) -> tuple[Any, ...]:
        memory[target][:size_bytes] = memory[source][:size_bytes]
        return (good,)

    def destroy(graph: int) -> tuple[Any, ...]:
        destroyed.append(graph)
        return (good,)

    calls: Calls = {
        "cudaSetDevice": lambda number: (good,),
        "cudaMalloc": allocate,
        "cudaMallocHost": allocate,
        "cudaFree": free,
        "cudaFreeHost": free,
        "cudaStreamCreateWithFlags": lambda flags: (good, 4096),
        "cudaMemcpyAsync": copy,
        "cudaStreamEndCapture": lambda stream: (good, 77),
        "cudaGraphInstantiate": lambda graph, flags: (errors.cudaErrorMemoryAllocation, None),
        "cudaGraphDestroy": destroy,
    }
    assert calls.keys() <= set(CALLS)
    kinds = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
    return SimpleNamespace(**calls, cudaMemcpyKind=kinds, destroyed=destroyed)


def test_arrays_are_the_memory_that_the_runtime_gave(
    runtime: SimpleNamespace, memory: dict[int, NDArray[np.uint8]]
) -> None:
    device = CudaPython(runtime)
    stream = device.open_stream()
    sent, returned = device.pin((2, 3), np.float32), device.pin((2, 3), np.float32)
    assert {sent.ctypes.data, returned.ctypes.data} == set(memory)
    assert sent.flags.writeable
    on_device = device.allocate(sent.nbytes)
    sent[:] = [[1, 2, 3], [4, 5, 6]]
    device.copy_in(on_device, sent, stream)
    device.copy_out(returned, on_device, stream)
    np.testing.assert_array_equal(returned, sent)
    device.free(on_device)
    device.unpin(sent)
    device.unpin(returned)
    assert memory == {}


def test_a_graph_that_is_not_instantiated_leaves_no_recording(runtime: SimpleNamespace) -> None:
    device = CudaPython(runtime)
    with pytest.raises(EngineError, match="cudaGraphInstantiate: cudaErrorMemoryAllocation"):
        device.end_capture(device.open_stream())
    assert runtime.destroyed == [77]
