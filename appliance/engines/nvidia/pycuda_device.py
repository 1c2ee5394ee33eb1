# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU through pycuda, where cuda-bindings are not installed.

pycuda (2026.1) has no call that captures a stream, so every run queues its work anew.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeVar

from numpy.typing import DTypeLike, NDArray

from appliance.engines.nvidia.device import device_error
from appliance.errors import EngineError

T = TypeVar("T")

MODULE: Final = "pycuda.driver"
CALLS: Final = ("init", "mem_alloc", "memcpy_dtoh_async", "memcpy_htod_async", "pagelocked_empty")
"""All functions that are called."""
CLASSES: Final = ("Device", "Error", "MemoryError", "Stream")
"""All classes that are used."""
METHODS: Final = ("free", "handle", "pop", "push", "retain_primary_context", "synchronize")
"""All methods of them that are used."""
NON_BLOCKING: Final = 1
"""CU_STREAM_NON_BLOCKING: the stream does not wait for the default stream, which other libraries use."""
NOT_CAPTURED: Final = "pycuda captures no graphs"


class PycudaDevice:
    """See `Device`. pycuda's objects free what they stand for when they are let go."""

    captures = False

    def __init__(self, driver: Any, device_number: int = 0) -> None:
        self._driver = driver
        self._memory: dict[int, Any] = {}
        self._streams: dict[int, Any] = {}
        self._ask("init", driver.init)
        found = self._ask("Device", lambda: driver.Device(device_number))
        # The context that TensorRT uses, too: each process has one such per device.
        self._context = self._ask("retain_primary_context", found.retain_primary_context)
        self._ask("push", self._context.push)

    def _ask(self, function: str, call: Callable[[], T]) -> T:
        """An error has a class and words here, but no number: all but memory is held to be lasting."""
        try:
            return call()
        except self._driver.MemoryError as error:
            raise device_error(function, "cudaErrorMemoryAllocation") from error
        except self._driver.Error as error:
            raise device_error(f"{function}: {error}", "cudaErrorUnknown") from error

    def allocate(self, size_bytes: int) -> int:
        """See `Device.allocate`."""
        memory = self._ask("mem_alloc", lambda: self._driver.mem_alloc(size_bytes))
        self._memory[int(memory)] = memory
        return int(memory)

    def free(self, pointer: int) -> None:
        """See `Device.free`."""
        self._ask("free", self._memory.pop(pointer).free)

    def pin(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """See `Device.pin`."""
        array: NDArray[Any] = self._ask(
            "pagelocked_empty", lambda: self._driver.pagelocked_empty(shape, dtype)
        )
        return array

    def unpin(self, array: NDArray[Any]) -> None:
        """See `Device.unpin`. The array's base gives it back with the last reference."""
        del array

    def open_stream(self) -> int:
        """See `Device.open_stream`."""
        stream = self._ask("Stream", lambda: self._driver.Stream(NON_BLOCKING))
        self._streams[int(stream.handle)] = stream
        return int(stream.handle)

    def close_stream(self, stream: int) -> None:
        """See `Device.close_stream`."""
        del self._streams[stream]

    def copy_in(self, pointer: int, source: NDArray[Any], stream: int) -> None:
        """See `Device.copy_in`."""
        self._ask(
            "memcpy_htod_async",
            lambda: self._driver.memcpy_htod_async(pointer, source, self._streams[stream]),
        )

    def copy_out(self, target: NDArray[Any], pointer: int, stream: int) -> None:
        """See `Device.copy_out`."""
        self._ask(
            "memcpy_dtoh_async",
            lambda: self._driver.memcpy_dtoh_async(target, pointer, self._streams[stream]),
        )

    def synchronize(self, stream: int) -> None:
        """See `Device.synchronize`."""
        self._ask("synchronize", self._streams[stream].synchronize)

    def begin_capture(self, stream: int) -> None:
        """See `captures`. Raises EngineError."""
        raise EngineError(f"{NOT_CAPTURED} (stream {stream}).", remedy="Install cuda-bindings.")

    def end_capture(self, stream: int) -> int:
        """See `captures`. Raises EngineError."""
        raise EngineError(f"{NOT_CAPTURED} (stream {stream}).", remedy="Install cuda-bindings.")

    def launch(self, graph: int, stream: int) -> None:
        """See `captures`. Raises EngineError."""
        raise EngineError(f"{NOT_CAPTURED} ({graph}, stream {stream}).", remedy="Install cuda-bindings.")

    def drop_graph(self, graph: int) -> None:
        """See `captures`. Raises EngineError."""
        raise EngineError(f"{NOT_CAPTURED} ({graph}).", remedy="Install cuda-bindings.")

    def close(self) -> None:
        """Step out of the device's context."""
        self._ask("pop", self._context.pop)


def open_first() -> PycudaDevice:
    """The first GPU. Raises ImportError without pycuda, EngineError without a driver."""
    return PycudaDevice(import_module(MODULE))
