# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A plan that the library has taken, as the run-time loop needs it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from appliance.engines.graph import Signature
from appliance.engines.nvidia.api import Api
from appliance.engines.nvidia.listening import Listener
from appliance.errors import EngineError, EngineMemoryError, EnginePlanError

OUT_OF_MEMORY_WORDS: Final = ("out of memory", "OutOfMemory", "MEM_ALLOC_FAILED")
"""How the library names that reason in its messages; it has no other way to tell."""


class LoadedPlan:
    """See `loop.Plan`."""

    def __init__(self, api: Api, plan: bytes, *, threads: int, compiled: bytes | None = None) -> None:
        """Deserialise. Raises EnginePlanError when the plan is not for this library and device.

        `compiled` is what `compiled` of an earlier load gave; the library checks whether it is of use.
        """
        self.words = api.words
        self._api = api
        self._listener = Listener(api.module)
        self._runtime = api.module.Runtime(self._listener.logger)
        self._runtime.max_threads = threads
        if api.features.validity:
            validity, _ = self._runtime.get_engine_validity(plan)
            if validity == api.module.EngineValidity.INVALID:
                raise self._unfit(self.complaint() or "it is not valid on this device")
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            said = self.complaint()
            if _is_of_memory(said):
                raise _no_memory(self.words, said)
            raise self._unfit(said or "it cannot be read")
        # Left alone, each context takes scratch memory for the largest shape of the plan.
        self._scratch_is_ours = api.module.ExecutionContextAllocationStrategy.USER_MANAGED
        self._compiled: Any = None
        self._config = self._runtime_config(compiled) if api.features.runtime_config else None

    def _runtime_config(self, compiled: bytes | None) -> Any:
        """The library records CUDA graphs by itself, and compiles kernels before it answers, not later.

        The answer to a question whose answer is known is then that of the kernels that serve.
        """
        trt = self._api.module
        config = self._engine.create_runtime_config()
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        config.dynamic_shapes_kernel_specialization_strategy = (
            trt.DynamicShapesKernelSpecializationStrategy.EAGER
        )
        config.set_execution_context_allocation_strategy(self._scratch_is_ours)
        self._compiled = config.create_runtime_cache()
        if compiled is not None:
            self._compiled.deserialize(compiled)  # False: of another driver or card, and compiled anew
        config.set_runtime_cache(self._compiled)
        return config

    def compiled(self) -> bytes | None:
        """The kernels that the library has compiled so far, to be kept; None where it compiles none late."""
        kernels = None if self._compiled is None else self._compiled.serialize()
        return None if kernels is None else bytes(kernels)

    def check(self, signature: Signature) -> None:
        """Raises EnginePlanError when names or types are not those of the graph."""
        trt = self._api.module
        names = [self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)]
        found = {
            (
                self._engine.get_tensor_mode(name),
                name,
                np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))),
            )
            for name in names
        }
        wanted = {(trt.TensorIOMode.INPUT, port.name, port.dtype) for port in signature.inputs}
        wanted |= {(trt.TensorIOMode.OUTPUT, port.name, port.dtype) for port in signature.outputs}
        if found != wanted:
            raise self._unfit(f"its inputs and outputs are {sorted(names)}, or their types differ")

    def limits(self, name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """See `loop.Plan.limits`."""
        smallest, _, largest = self._engine.get_tensor_profile_shape(name, 0)
        return tuple(map(int, smallest)), tuple(map(int, largest))

    def open_context(self) -> Any:
        """See `loop.Plan.open_context`."""
        how = self._scratch_is_ours if self._config is None else self._config
        context = self._engine.create_execution_context(how)
        if context is None:
            said = self.complaint()
            if _is_of_memory(said):
                raise _no_memory(self.words, said)
            raise EngineError(
                f"{self.words} opens no execution context: {said}.", remedy="The next engine takes over."
            )
        return context

    def complaint(self) -> str:
        """See `loop.Plan.complaint`."""
        return self._listener.complaint()

    def close(self) -> None:
        """In the order in which they need each other."""
        self._compiled = self._config = self._engine = self._runtime = None

    def _unfit(self, why: str) -> EnginePlanError:
        return EnginePlanError(
            f"The plan does not fit {self.words} on this device: {why}.",
            remedy="It is built anew from the verified model.",
        )


def _is_of_memory(said: str) -> bool:
    return any(words in said for words in OUT_OF_MEMORY_WORDS)


def _no_memory(words: str, said: str) -> EngineMemoryError:
    return EngineMemoryError(
        f"{words} has no memory left on the GPU: {said}.",
        remedy="The next engine takes over. Stop what else runs on this GPU, or keep fewer models on it.",
    )
