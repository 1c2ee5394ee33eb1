# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A TensorRT that is none: the names that the engine uses, over a `FakeDevice`, computing with ONNX Runtime.

Its plan is the ONNX file with the ranges of its inputs; its execution context reads and writes the fake
device's memory at the addresses it was given, when the stream comes to it. So loading, keeping, building
and running can be checked on any machine, down to the numbers.

It is no choice in the settings: nothing that serves a patient can open it.
"""

from __future__ import annotations

import json
import tempfile
from enum import IntEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import onnx

from appliance.engines import ort
from appliance.engines.graph import Port, signature_of
from appliance.engines.nvidia.api import TENSORRT, Api, adapt, names_of
from appliance.engines.nvidia.fake_builder import (
    MAGIC,
    Builder,
    BuilderFlag,
    IBuilderConfig,
    ILogger,
    IOptimizationProfile,
    ITimingCache,
    MemoryPoolType,
    NetworkDefinitionCreationFlag,
    OnnxParser,
    ParserError,
)
from appliance.engines.nvidia.fake_device import FakeDevice
from appliance.errors import EngineError, EngineMemoryError

VERSION: Final = "10.3.0"


SCRATCH_BYTES: Final = 512
"""What a context asks for; nothing is computed in it."""


class ExecutionContextAllocationStrategy(IntEnum):
    """Who gives a context its scratch memory."""

    STATIC = 0
    USER_MANAGED = 2


class TensorIOMode(IntEnum):
    """What a tensor is to the plan."""

    INPUT = 1
    OUTPUT = 2


class IExecutionContext:
    """One shape at a time, addresses, and a run in a stream."""

    def __init__(self, engine: ICudaEngine) -> None:
        self._engine = engine
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}
        self._scratch_bytes = 0

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        """Whether it is within the profile."""
        smallest, _, largest = self._engine.get_tensor_profile_shape(name, 0)
        if not all(low <= size <= high for low, size, high in zip(smallest, shape, largest, strict=True)):
            return False
        self._shapes[name] = shape
        return True

    def infer_shapes(self) -> list[str]:
        """Inputs whose shape is not known yet; works the others out."""
        missing = [port.name for port in self._engine.inputs if port.name not in self._shapes]
        if not missing:
            zeros = {port.name: np.zeros(self._shapes[port.name], port.dtype) for port in self._engine.inputs}
            outputs = self._engine.compute.infer(zeros)
            self._shapes.update({name: value.shape for name, value in outputs.items()})
        return missing

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """Of an input or an output."""
        return self._shapes[name]

    def update_device_memory_size_for_shapes(self) -> int:
        """Scratch memory that a run of these shapes needs."""
        return SCRATCH_BYTES

    def set_device_memory(self, memory: int, size: int) -> None:
        """Here it is."""
        self._engine.device.tensor(memory, (size,), np.uint8)
        self._scratch_bytes = size

    def set_tensor_address(self, name: str, address: int) -> bool:
        """Where in the device's memory it is."""
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Queue the run. Whether that went well; if not, the log says more."""
        if self._scratch_bytes < SCRATCH_BYTES:
            self._engine.logger.log(ILogger.ERROR, "no device memory was set for this context")
            return False
        try:
            self._engine.device.enqueue("execute", stream_handle, self._run)
        except EngineError as error:
            self._engine.logger.log(ILogger.ERROR, error.what)
            return False
        return True

    def _tensor(self, port: Port) -> Any:
        return self._engine.device.tensor(self._addresses[port.name], self._shapes[port.name], port.dtype)

    def _run(self) -> None:
        inputs = {port.name: self._tensor(port).copy() for port in self._engine.inputs}
        for name, value in self._engine.compute.infer(inputs).items():
            port = next(port for port in self._engine.outputs if port.name == name)
            np.copyto(self._tensor(port), value)


class ICudaEngine:
    """A deserialised plan."""

    def __init__(self, head: bytes, content: bytes, device: FakeDevice, logger: ILogger) -> None:
        self.logger = logger
        self._ranges: dict[str, list[list[int]]] = json.loads(head)
        self.device = device
        signature = signature_of(onnx.load_from_string(content).graph, "plan")
        self.inputs, self.outputs = signature.inputs, signature.outputs
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            file.write_bytes(content)
            self.compute = ort.load(file, threads=1)

    @property
    def num_io_tensors(self) -> int:
        """Inputs and outputs."""
        return len(self.inputs) + len(self.outputs)

    def get_tensor_name(self, index: int) -> str:
        """Inputs first."""
        return (*self.inputs, *self.outputs)[index].name

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        """Input or output."""
        return TensorIOMode.INPUT if name in self._ranges else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> Any:
        """As numpy's; see `nptype`."""
        return next(port.dtype for port in (*self.inputs, *self.outputs) if port.name == name)

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[list[int]]:
        """Smallest, usual, largest."""
        assert profile_index == 0
        return self._ranges[name]

    def create_execution_context(self, how: Any) -> IExecutionContext | None:
        """A new one, or None with an error in the log. Scratch for the largest shape is not to be had."""
        assert how is ExecutionContextAllocationStrategy.USER_MANAGED
        try:
            self.device.note("context")
        except EngineMemoryError:
            self.logger.log(ILogger.ERROR, "Error Code 2: OutOfMemory (requested size was 1 bytes)")
            return None
        return IExecutionContext(self)


class Runtime:
    """Reads plans; made for one device by `fake_tensorrt`."""

    device: FakeDevice
    engine_kind: type[ICudaEngine] = ICudaEngine
    max_threads = 1

    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def deserialize_cuda_engine(self, plan: bytes) -> ICudaEngine | None:
        """The plan, or None with an error in the log."""
        head, _, content = plan.removeprefix(MAGIC).partition(b"\n")
        if not plan.startswith(MAGIC) or not content:
            self._logger.log(ILogger.ERROR, "the plan's magic tag does not match")
            return None
        return self.engine_kind(head, content, self.device, self._logger)


def fake_tensorrt(device: FakeDevice, *, version: str = VERSION) -> Api:
    """TensorRT over a fake device, held to the same list of names as a real one."""
    module = fake_module(device, Builder=Builder, IBuilderConfig=IBuilderConfig, ICudaEngine=ICudaEngine)
    return Api(
        module=module, name=TENSORRT, version=version, features=adapt(TENSORRT, version, names_of(module))
    )


def fake_module(device: FakeDevice, **more: type) -> SimpleNamespace:
    """The names that both libraries have, and `more` of one."""
    return SimpleNamespace(
        BuilderFlag=BuilderFlag,
        ExecutionContextAllocationStrategy=ExecutionContextAllocationStrategy,
        IExecutionContext=IExecutionContext,
        ILogger=ILogger,
        IOptimizationProfile=IOptimizationProfile,
        MemoryPoolType=MemoryPoolType,
        NetworkDefinitionCreationFlag=NetworkDefinitionCreationFlag,
        ITimingCache=ITimingCache,
        OnnxParser=OnnxParser,
        ParserError=ParserError,
        Runtime=type("Runtime", (more.pop("Runtime", Runtime),), {"device": device}),
        TensorIOMode=TensorIOMode,
        nptype=np.dtype,
        **more,
    )
