# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU that is none: host memory behind the same protocol, and faults on demand.

Work is done only when somebody waits for it, and every call is recorded: the run-time loop can be checked
with it on any machine.

It is no choice in the settings: nothing that serves a patient can open it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from appliance.engines.nvidia.device import LOST, device_error

Work: TypeAlias = Callable[[], None]

FIRST_ADDRESS: Final = 0x7F00_0000_0000
"""No address of the host, so that mixing the two up is seen."""
ALIGNMENT_BYTES: Final = 256
"""What cudaMalloc promises."""
POISON: Final = 0xFF
"""Fresh memory is full of it: NaN as float32, -1 as an integer."""


class FakeDevice:
    """See `Device`. A stream that does not exist, memory that is freed twice: cudaErrorInvalidValue."""

    def __init__(self, *, captures: bool = True) -> None:
        self.captures = captures
        self.calls: list[str] = []
        """Every call so far, in order."""
        self._faults: dict[str, tuple[int, str]] = {}
        self._lost: str | None = None
        self._next = FIRST_ADDRESS
        self._memory: dict[int, bytearray] = {}
        self._pinned: dict[int, NDArray[Any]] = {}
        self._queues: dict[int, list[Work]] = {}
        self._recording: dict[int, list[Work]] = {}
        self._graphs: dict[int, list[Work]] = {}

    def fail(self, call: str, code_name: str, *, after: int = 0) -> None:
        """Let `call` answer with an error (a name of cudaError_t), once, after `after` good calls.

        An error that is sticky on a real GPU is so here: every later call fails, too.
        """
        self._faults[call] = (after, code_name)

    @property
    def held(self) -> Counter[str]:
        """What has been taken and not been given back, counted by kind."""
        return Counter(
            {
                "memory": len(self._memory),
                "pinned": len(self._pinned),
                "streams": len(self._queues),
                "graphs": len(self._graphs),
            }
        )

    def note(self, call: str) -> None:
        """Record a call, and answer with its fault if one is due. Libraries over this device use it, too."""
        self.calls.append(call)
        if self._lost is not None:
            raise device_error(call, self._lost)
        after, code_name = self._faults.get(call, (0, ""))
        if code_name and after:
            self._faults[call] = (after - 1, code_name)
        elif code_name:
            del self._faults[call]
            self._lost = code_name if code_name in LOST else None
            raise device_error(call, code_name)

    def _known(self, call: str, table: dict[int, Any], key: int) -> Any:
        if key not in table:
            raise device_error(call, "cudaErrorInvalidValue")
        return table[key]

    def _address(self, size_bytes: int = 1) -> int:
        address = self._next
        self._next += -(-max(size_bytes, 1) // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        return address

    def allocate(self, size_bytes: int) -> int:
        """See `Device.allocate`."""
        self.note("allocate")
        address = self._address(size_bytes)
        self._memory[address] = bytearray([POISON]) * size_bytes
        return address

    def free(self, pointer: int) -> None:
        """See `Device.free`."""
        self.note("free")
        self._known("free", self._memory, pointer)
        del self._memory[pointer]

    def pin(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """See `Device.pin`."""
        self.note("pin")
        array = np.empty(shape, dtype)
        array.reshape(-1).view(np.uint8)[:] = POISON
        self._pinned[array.ctypes.data] = array
        return array

    def unpin(self, array: NDArray[Any]) -> None:
        """See `Device.unpin`."""
        self.note("unpin")
        self._known("unpin", self._pinned, array.ctypes.data)
        del self._pinned[array.ctypes.data]

    def open_stream(self) -> int:
        """See `Device.open_stream`."""
        self.note("open_stream")
        stream = self._address()
        self._queues[stream] = []
        return stream

    def close_stream(self, stream: int) -> None:
        """See `Device.close_stream`."""
        self.note("close_stream")
        self._known("close_stream", self._queues, stream)
        del self._queues[stream]

    def enqueue(self, call: str, stream: int, work: Work) -> None:
        """Queue or record any work in a stream: how a library's kernels come to this device."""
        self.note(call)
        queue: list[Work] = self._known(call, self._queues, stream)
        self._recording.get(stream, queue).append(work)

    def tensor(self, pointer: int, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Device memory as an array, for work that is being done."""
        memory: bytearray = self._known("tensor", self._memory, pointer)
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(memory, dtype=dtype, count=count).reshape(shape)

    def copy_in(self, pointer: int, source: NDArray[Any], stream: int) -> None:
        """See `Device.copy_in`."""
        self._known("copy_in", self._pinned, source.ctypes.data)
        target = self.tensor(pointer, source.shape, source.dtype)
        self.enqueue("copy_in", stream, lambda: np.copyto(target, source))

    def copy_out(self, target: NDArray[Any], pointer: int, stream: int) -> None:
        """See `Device.copy_out`."""
        self._known("copy_out", self._pinned, target.ctypes.data)
        source = self.tensor(pointer, target.shape, target.dtype)
        self.enqueue("copy_out", stream, lambda: np.copyto(target, source))

    def synchronize(self, stream: int) -> None:
        """See `Device.synchronize`. Here, and only here, the queued work is done."""
        self.note("synchronize")
        queue: list[Work] = self._known("synchronize", self._queues, stream)
        if stream in self._recording:
            raise device_error("synchronize", "cudaErrorStreamCaptureUnsupported")
        for work in queue:
            work()
        queue.clear()

    def begin_capture(self, stream: int) -> None:
        """See `Device.begin_capture`."""
        self.note("begin_capture")
        self._known("begin_capture", self._queues, stream)
        self._recording[stream] = []

    def end_capture(self, stream: int) -> int:
        """See `Device.end_capture`."""
        recorded = self._recording.pop(stream, None)
        self.note("end_capture")
        if recorded is None:
            raise device_error("end_capture", "cudaErrorIllegalState")
        graph = self._address()
        self._graphs[graph] = recorded
        return graph

    def launch(self, graph: int, stream: int) -> None:
        """See `Device.launch`."""
        self.note("launch")
        queue: list[Work] = self._known("launch", self._queues, stream)
        recorded: list[Work] = self._known("launch", self._graphs, graph)
        queue.extend(recorded)

    def drop_graph(self, graph: int) -> None:
        """See `Device.drop_graph`."""
        self.note("drop_graph")
        self._known("drop_graph", self._graphs, graph)
        del self._graphs[graph]

    def close(self) -> None:
        """See `Device.close`."""
        self.note("close")
