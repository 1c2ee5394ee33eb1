# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An engine on an NVIDIA GPU: driver first, then the library, then a plan (kept or built), then the loop."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.engines.base import EngineDescription
from appliance.engines.checked import CheckedEngine
from appliance.engines.graph import Signature, read_signature
from appliance.engines.nvidia.api import Api, open_api
from appliance.engines.nvidia.build import CURRENT, BuildOptions, build_plan
from appliance.engines.nvidia.device import Device, open_device
from appliance.engines.nvidia.driver import Gpu, probe_driver
from appliance.engines.nvidia.listening import Listener
from appliance.engines.nvidia.loop import RunLoop
from appliance.engines.nvidia.plan_cache import PlanCache, PlanKey
from appliance.errors import EngineError, EngineMemoryError, EnginePlanError

PLAN: Final = "plan"
TIMINGS: Final = "timings"
OUT_OF_MEMORY_WORDS: Final = ("out of memory", "OutOfMemory", "MEM_ALLOC_FAILED")
"""How the library names that reason in its messages; it has no other way to tell."""


class LoadedPlan:
    """See `loop.Plan`."""

    def __init__(self, api: Api, plan: bytes, *, threads: int) -> None:
        """Deserialise. Raises EnginePlanError when the plan is not for this library and device."""
        self.words = api.words
        self._api = api
        self._listener = Listener(api.module)
        self._runtime = api.module.Runtime(self._listener.logger)
        self._runtime.max_threads = threads
        if api.features.validity:
            validity, _ = self._runtime.get_engine_validity(plan)
            if validity == api.module.EngineValidity.INVALID:
                raise self._unfit("it is not valid on this device")
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            said = self.complaint()
            if _is_of_memory(said):
                raise _no_memory(self.words, said)
            raise self._unfit(said or "it cannot be read")
        self._config = self._runtime_config() if api.features.runtime_config else None

    def _runtime_config(self) -> Any:
        """The library records CUDA graphs by itself, and compiles kernels before it answers, not later.

        The answer to a question whose answer is known is then that of the kernels that serve.
        """
        trt = self._api.module
        config = self._engine.create_runtime_config()
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        config.dynamic_shapes_kernel_specialization_strategy = (
            trt.DynamicShapesKernelSpecializationStrategy.EAGER
        )
        return config

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
        context = (
            self._engine.create_execution_context()
            if self._config is None
            else self._engine.create_execution_context(self._config)
        )
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
        self._config = self._engine = self._runtime = None

    def _unfit(self, why: str) -> EnginePlanError:
        return EnginePlanError(
            f"The plan does not fit {self.words} on this device: {why}.",
            remedy="It is built anew from the verified model.",
        )


class NvidiaEngine(CheckedEngine):
    """A plan in its loop."""

    def __init__(self, loop: RunLoop, *, signature: Signature, description: EngineDescription) -> None:
        super().__init__(signature=signature, description=description)
        self._loop = loop

    @property
    def without_graphs(self) -> str | None:
        """Why no CUDA graphs are recorded here; None: they are."""
        return self._loop.without_graphs

    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        return self._loop.run(inputs)

    def _release(self) -> None:
        self._loop.close()


def load_on_gpu(library: str, model: Path, *, threads: int, cache: Path | None) -> NvidiaEngine:
    """Load a verified ONNX file on the first GPU through `library`. Raises EngineError.

    The first time on a device the plan is built, which takes seconds to minutes; `cache` keeps it.
    """
    gpu = probe_driver()  # before anything of the library that may touch the driver
    api = open_api(library)
    return assemble(api, gpu, open_device(), model, threads=threads, cache=cache)


def assemble(
    api: Api, gpu: Gpu, device: Device, model: Path, *, threads: int, cache: Path | None
) -> NvidiaEngine:
    """The same on a device that is already open. The engine closes it."""
    with ExitStack() as undo:
        undo.callback(device.close)
        signature = read_signature(model)
        content = _content(model)
        if not api.serves(gpu.compute_capability):
            raise EngineError(
                f"{api.words} does not serve this GPU: {gpu.key}.",
                remedy="Use the engine tensorrt on it, or leave this one out of worker.engines.",
            )
        options = BuildOptions(threads=threads, targets=(CURRENT,) if api.features.targets else ())
        key = PlanKey(
            model_sha256=hashlib.sha256(content).hexdigest(),
            engine=api.name,
            version=api.version,
            device=gpu.key,
            precision=signature.precision,
            options=options.words,
        )
        plan = _plan(api, content, signature, options=options, key=key, kept=PlanCache(cache))
        undo.callback(plan.close)
        loop = RunLoop(plan, device=device, signature=signature, library_captures=api.features.runtime_config)
        undo.pop_all()
    return NvidiaEngine(
        loop,
        signature=signature,
        description=EngineDescription(
            engine=api.name, version=api.version, precision=signature.precision, device=gpu.name
        ),
    )


def _plan(
    api: Api, content: bytes, signature: Signature, *, options: BuildOptions, key: PlanKey, kept: PlanCache
) -> LoadedPlan:
    """The kept plan, or one that is built now. A kept one that does not load is thrown away."""
    found = kept.read(PLAN, key)
    if found is not None:
        try:
            return _loaded(api, found, signature, threads=options.threads)
        except EnginePlanError:
            kept.forget(PLAN, key)
    timings_key = PlanKey(
        model_sha256="", engine=key.engine, version=key.version, device=key.device, precision="", options=""
    )
    built = build_plan(api, content, signature, options=options, timings=kept.read(TIMINGS, timings_key))
    plan = _loaded(api, built.plan, signature, threads=options.threads)
    kept.keep(PLAN, key, built.plan)  # only what loads is worth keeping
    if built.timings is not None:
        kept.keep(TIMINGS, timings_key, built.timings)
    return plan


def _loaded(api: Api, content: bytes, signature: Signature, *, threads: int) -> LoadedPlan:
    plan = LoadedPlan(api, content, threads=threads)
    try:
        plan.check(signature)
    except EnginePlanError:
        plan.close()
        raise
    return plan


def _content(model: Path) -> bytes:
    try:
        return model.read_bytes()
    except OSError as error:
        raise EngineError(
            f"The model {model.name} cannot be read: {error}.",
            remedy="Install the bundle again; `scanside models verify` says what is wrong with it.",
        ) from error


def _is_of_memory(said: str) -> bool:
    return any(words in said for words in OUT_OF_MEMORY_WORDS)


def _no_memory(words: str, said: str) -> EngineMemoryError:
    return EngineMemoryError(
        f"{words} has no memory left on the GPU: {said}.",
        remedy="The next engine takes over. Stop what else runs on this GPU, or keep fewer models on it.",
    )
