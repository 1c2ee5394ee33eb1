# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The run-time loop: a deserialised plan, one stream, and buffers that are made once per shape of input.

A run copies the input into page-locked memory, queues copy, inference and copy back, waits, and hands out
a copy of the answer. From the second run of a shape on, the three are one recorded CUDA graph and one
launch. Nothing is allocated in a run but the arrays that belong to the caller.

Each shape has an execution context of its own: a recorded graph holds the context's addresses, and they
move when another shape is set.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from appliance.engines.graph import Port, Signature
from appliance.engines.nvidia.device import Device
from appliance.engines.nvidia.listening import errors_of
from appliance.errors import EngineError, EngineLostError, EngineMemoryError

Shapes: TypeAlias = tuple[tuple[int, ...], ...]
"""Of all inputs, in the order of the signature."""
MOST_SHAPES: Final = 4
"""Shapes whose buffers are kept: one frame, a batch, and two sizes of slices; then the oldest goes."""
DYNAMIC: Final = -1
"""How TensorRT writes a size that it does not know."""


class Plan(Protocol):
    """A deserialised plan as the loop needs it."""

    words: str
    """For messages: the library and its version."""

    def limits(self, name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Smallest and largest shape of an input that the plan was built for."""

    def open_context(self) -> Any:
        """A new execution context, which waits to be given its scratch memory."""

    def complaint(self) -> str:
        """What the library last said of an error; empty when nothing."""

    def close(self) -> None:
        """Give the plan back."""


class _ShapeSet:
    """Everything for one shape of input, and how to give it back."""

    def __init__(self, plan: Plan, device: Device, signature: Signature, shapes: Shapes) -> None:
        self.graph: int | None = None
        self.ran = False
        self.host_in: dict[str, NDArray[Any]] = {}
        self.host_out: dict[str, NDArray[Any]] = {}
        self.pointers: dict[str, int] = {}
        self._device = device
        with ExitStack() as undo:
            self.context = plan.open_context()
            for port, shape in zip(signature.inputs, shapes, strict=True):
                self.host_in[port.name] = self._buffers(port, shape, undo)
                if not self.context.set_input_shape(port.name, shape):
                    raise _refused(plan, f"the shape {list(shape)} of its input {port.name}")
            unknown = self.context.infer_shapes()
            if unknown:
                raise _refused(plan, f"inputs without a shape ({', '.join(unknown)})")
            for port in signature.outputs:
                shape = tuple(int(size) for size in self.context.get_tensor_shape(port.name))
                if DYNAMIC in shape:
                    raise _refused(plan, f"an output whose size depends on the data ({port.words})")
                self.host_out[port.name] = self._buffers(port, shape, undo)
            scratch_bytes = int(self.context.update_device_memory_size_for_shapes())
            if scratch_bytes:
                scratch = device.allocate(scratch_bytes)
                undo.callback(device.free, scratch)
                self.context.set_device_memory(scratch, scratch_bytes)
            for name, pointer in self.pointers.items():
                if not self.context.set_tensor_address(name, pointer):
                    raise _refused(plan, f"memory for {name}")
            self._held = undo.pop_all()

    def _buffers(self, port: Port, shape: tuple[int, ...], undo: ExitStack) -> NDArray[Any]:
        host = self._device.pin(shape, port.dtype)
        undo.callback(self._device.unpin, host)
        self.pointers[port.name] = self._device.allocate(host.nbytes)
        undo.callback(self._device.free, self.pointers[port.name])
        return host

    def close(self) -> None:
        """Graph, context, buffers: in this order, as each uses the next."""
        with self._held:
            try:
                if self.graph is not None:
                    self._device.drop_graph(self.graph)
            finally:
                self.forget()

    def forget(self) -> None:
        """Let go of the context, which must not outlive its plan, without a call to the device."""
        self.graph = self.context = None


class RunLoop:
    """Owner of a plan and a device, for one thread. See the module."""

    def __init__(self, plan: Plan, *, device: Device, signature: Signature, library_captures: bool) -> None:
        """Graphs are recorded here unless the library does it by itself, or the device cannot."""
        self._plan = plan
        self._device = device
        self._signature = signature
        self._records = device.captures and not library_captures
        self._limits = {port.name: plan.limits(port.name) for port in signature.inputs}
        self._sets: OrderedDict[Shapes, _ShapeSet] = OrderedDict()
        self._lost: EngineLostError | None = None
        self._stream = device.open_stream()
        self.without_graphs: str | None = None
        """Why no graphs are recorded here; None: they are."""
        if not self._records:
            self.without_graphs = f"{plan.words if library_captures else 'nobody'} records them"

    @property
    def lost(self) -> bool:
        """Whether the device is of no use to this process any more."""
        return self._lost is not None

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs for inputs that fit the signature, owned by the caller.

        Raises EngineError; EngineMemoryError when the device is full even after all that can be spared was
        freed; EngineLostError when it is lost, and from then on at every call, without touching it again.
        """
        if self._lost is not None:
            raise EngineLostError(self._lost.what, remedy=self._lost.remedy)
        try:
            return self._run(inputs)
        except EngineLostError as error:
            # a copy without its trace, which would keep the image that was being looked at
            self._lost = EngineLostError(error.what, remedy=error.remedy)
            raise

    def _run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        at_hand = self._set_for(inputs)
        for name, host in at_hand.host_in.items():
            np.copyto(host, inputs[name])
        if at_hand.graph is None:
            self._enqueue(at_hand)
        else:
            self._device.launch(at_hand.graph, self._stream)
        self._device.synchronize(self._stream)
        outputs = {name: host.copy() for name, host in at_hand.host_out.items()}
        if not at_hand.ran:
            at_hand.ran = True  # the library has made its own preparations by now: they cannot be recorded
            self._record(at_hand)
        return outputs

    def _set_for(self, inputs: Mapping[str, NDArray[Any]]) -> _ShapeSet:
        shapes = tuple(inputs[port.name].shape for port in self._signature.inputs)
        found = self._sets.get(shapes)
        if found is None:
            self._check(shapes)
            while len(self._sets) >= MOST_SHAPES:
                self._drop(next(iter(self._sets)))
            try:
                found = self._made(shapes)
            except EngineMemoryError:
                if not self._sets:
                    raise
                for other in tuple(self._sets):
                    self._drop(other)
                found = self._made(shapes)
            self._sets[shapes] = found
        self._sets.move_to_end(shapes)
        return found

    def _made(self, shapes: Shapes) -> _ShapeSet:
        return _ShapeSet(self._plan, self._device, self._signature, shapes)

    def _drop(self, shapes: Shapes) -> None:
        self._sets.pop(shapes).close()

    def _check(self, shapes: Shapes) -> None:
        for port, shape in zip(self._signature.inputs, shapes, strict=True):
            smallest, largest = self._limits[port.name]
            if not all(low <= size <= high for low, size, high in zip(smallest, shape, largest, strict=True)):
                raise EngineError(
                    f"The plan of {self._plan.words} was built for {port.name} from {list(smallest)} to "
                    f"{list(largest)}, not for {list(shape)}.",
                    remedy="The next engine takes over.",
                )

    def _enqueue(self, at_hand: _ShapeSet) -> None:
        for name, host in at_hand.host_in.items():
            self._device.copy_in(at_hand.pointers[name], host, self._stream)
        with errors_of(self._plan.words, "run"):
            queued = at_hand.context.execute_async_v3(self._stream)
        if not queued:
            self._device.synchronize(self._stream)  # if the device is the reason, it says so here
            raise _refused(self._plan, "to run")
        for name, host in at_hand.host_out.items():
            self._device.copy_out(host, at_hand.pointers[name], self._stream)

    def _record(self, at_hand: _ShapeSet) -> None:
        """Make the shape's graph. A plan that cannot be recorded runs call by call, and that is said."""
        if not self._records:
            return
        try:
            self._device.begin_capture(self._stream)
            try:
                self._enqueue(at_hand)
            except EngineError:
                with suppress(EngineError):  # the first error is the one to tell; capturing must end
                    self._device.drop_graph(self._device.end_capture(self._stream))
                raise
            at_hand.graph = self._device.end_capture(self._stream)
        except EngineLostError:
            raise
        except EngineError as error:
            self._records = False
            self.without_graphs = error.what

    def close(self) -> None:
        """Give everything back, whatever fails in between. A lost device is not called any more."""
        sets = tuple(self._sets.values())
        self._sets.clear()
        held: list[Callable[[], None]]
        if self._lost is None:
            held = [at_hand.close for at_hand in sets]
            held.append(lambda: self._device.close_stream(self._stream))
        else:
            held = [at_hand.forget for at_hand in sets]
        for give_back in (*held, self._plan.close, self._device.close):
            with suppress(EngineError):
                give_back()


def _refused(plan: Plan, what: str) -> EngineError:
    complaint = plan.complaint()
    return EngineError(
        f"{plan.words} refuses {what}{': ' + complaint if complaint else ''}.",
        remedy="The next engine takes over; `scanside models verify` tries all of them.",
    )
