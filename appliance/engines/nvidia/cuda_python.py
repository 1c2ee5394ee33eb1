# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU through cuda-bindings, NVIDIA's own Python bindings of the CUDA Runtime API (12.6 to 13)."""

from __future__ import annotations

import ctypes
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from appliance.engines.nvidia.device import device_error

RUNTIME: Final = "cuda.bindings.runtime"
CALLS: Final = (
    "cudaFree",
    "cudaFreeHost",
    "cudaGraphDestroy",
    "cudaGraphExecDestroy",
    "cudaGraphInstantiate",
    "cudaGraphLaunch",
    "cudaMalloc",
    "cudaMallocHost",
    "cudaMemcpyAsync",
    "cudaSetDevice",
    "cudaStreamBeginCapture",
    "cudaStreamCreateWithFlags",
    "cudaStreamDestroy",
    "cudaStreamEndCapture",
    "cudaStreamSynchronize",
)
"""All functions that are called."""
NON_BLOCKING: Final = 1
"""cudaStreamNonBlocking: the stream does not wait for the default stream, which other libraries use."""


class CudaPython:
    """See `Device`. The runtime's handles are kept here, their addresses go out."""

    captures = True

    def __init__(self, runtime: Any, device_number: int = 0) -> None:
        self._runtime = runtime
        self._streams: dict[int, Any] = {}
        self._graphs: dict[int, Any] = {}
        self._ask("cudaSetDevice", device_number)

    def _ask(self, function: str, *arguments: object) -> Any:
        error, *values = getattr(self._runtime, function)(*arguments)
        if error.value:
            raise device_error(function, error.name)
        return values[0] if values else None

    def allocate(self, size_bytes: int) -> int:
        """See `Device.allocate`."""
        return int(self._ask("cudaMalloc", size_bytes))

    def free(self, pointer: int) -> None:
        """See `Device.free`."""
        self._ask("cudaFree", pointer)

    def pin(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """See `Device.pin`."""
        kind = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        address = int(self._ask("cudaMallocHost", count * kind.itemsize))
        memory = (ctypes.c_byte * (count * kind.itemsize)).from_address(address)
        return np.frombuffer(memoryview(memory).cast("B"), dtype=kind, count=count).reshape(shape)

    def unpin(self, array: NDArray[Any]) -> None:
        """See `Device.unpin`."""
        self._ask("cudaFreeHost", array.ctypes.data)

    def open_stream(self) -> int:
        """See `Device.open_stream`."""
        stream = self._ask("cudaStreamCreateWithFlags", NON_BLOCKING)
        self._streams[int(stream)] = stream
        return int(stream)

    def close_stream(self, stream: int) -> None:
        """See `Device.close_stream`."""
        self._ask("cudaStreamDestroy", self._streams.pop(stream))

    def copy_in(self, pointer: int, source: NDArray[Any], stream: int) -> None:
        """See `Device.copy_in`."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._ask("cudaMemcpyAsync", pointer, source.ctypes.data, source.nbytes, kind, self._streams[stream])

    def copy_out(self, target: NDArray[Any], pointer: int, stream: int) -> None:
        """See `Device.copy_out`."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._ask("cudaMemcpyAsync", target.ctypes.data, pointer, target.nbytes, kind, self._streams[stream])

    def synchronize(self, stream: int) -> None:
        """See `Device.synchronize`."""
        self._ask("cudaStreamSynchronize", self._streams[stream])

    def begin_capture(self, stream: int) -> None:
        """See `Device.begin_capture`. Calls of other threads stay allowed while it lasts."""
        mode = self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._ask("cudaStreamBeginCapture", self._streams[stream], mode)

    def end_capture(self, stream: int) -> int:
        """See `Device.end_capture`."""
        recorded = self._ask("cudaStreamEndCapture", self._streams[stream])
        try:
            graph = self._ask("cudaGraphInstantiate", recorded, 0)
        finally:
            self._ask("cudaGraphDestroy", recorded)
        self._graphs[int(graph)] = graph
        return int(graph)

    def launch(self, graph: int, stream: int) -> None:
        """See `Device.launch`."""
        self._ask("cudaGraphLaunch", self._graphs[graph], self._streams[stream])

    def drop_graph(self, graph: int) -> None:
        """See `Device.drop_graph`."""
        self._ask("cudaGraphExecDestroy", self._graphs.pop(graph))

    def close(self) -> None:
        """Nothing more is held: the device's context belongs to the process."""


def open_first() -> CudaPython:
    """The first GPU. Raises ImportError without cuda-bindings, EngineError without a driver."""
    return CudaPython(import_module(RUNTIME))
