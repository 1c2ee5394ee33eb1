# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An engine on an NVIDIA GPU: driver first, then the library, then a plan (kept or built), then the loop."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from appliance.engines.base import EngineDescription
from appliance.engines.checked import CheckedEngine
from appliance.engines.graph import Signature, read_signature
from appliance.engines.nvidia.api import Api, open_api
from appliance.engines.nvidia.build import CURRENT, BuildOptions, build_plan
from appliance.engines.nvidia.device import Device, open_device
from appliance.engines.nvidia.driver import Gpu, probe_driver
from appliance.engines.nvidia.listening import errors_of
from appliance.engines.nvidia.loaded_plan import LoadedPlan
from appliance.engines.nvidia.loop import RunLoop
from appliance.engines.nvidia.plan_cache import PlanCache, PlanKey
from appliance.errors import EngineError, EnginePlanError

PLAN: Final = "plan"
KERNELS: Final = "kernels"
TIMINGS: Final = "timings"


class NvidiaEngine(CheckedEngine):
    """A plan in its loop."""

    def __init__(
        self,
        loop: RunLoop,
        *,
        signature: Signature,
        description: EngineDescription,
        before_closing: Callable[[], None],
    ) -> None:
        """`before_closing` is called while everything still stands, unless the device was lost."""
        super().__init__(signature=signature, description=description)
        self._loop = loop
        self._before_closing = before_closing

    @property
    def without_graphs(self) -> str | None:
        """Why no CUDA graphs are recorded here; None: they are."""
        return self._loop.without_graphs

    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        with errors_of(self._description.words, "run"):
            return self._loop.run(inputs)

    def _release(self) -> None:
        if not self._loop.lost:
            with suppress(EngineError), errors_of(self._description.words, "tell what it compiled"):
                self._before_closing()
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
        kept = PlanCache(cache)
        plan = _plan(api, content, signature, options=options, key=key, kept=kept)
        undo.callback(plan.close)
        loop = RunLoop(plan, device=device, signature=signature, library_captures=api.features.runtime_config)
        undo.pop_all()
    return NvidiaEngine(
        loop,
        signature=signature,
        description=EngineDescription(
            engine=api.name, version=api.version, precision=signature.precision, device=gpu.name
        ),
        before_closing=partial(_keep_kernels, plan, kept, key),
    )


def _plan(
    api: Api, content: bytes, signature: Signature, *, options: BuildOptions, key: PlanKey, kept: PlanCache
) -> LoadedPlan:
    """The kept plan, or one that is built now. A kept one that does not load is thrown away."""
    found = kept.read(PLAN, key)
    if found is not None:
        try:
            return _loaded(api, found, signature, threads=options.threads, kernels=kept.read(KERNELS, key))
        except EnginePlanError:
            kept.forget(PLAN, key)
    timings_key = PlanKey(
        model_sha256="", engine=key.engine, version=key.version, device=key.device, precision="", options=""
    )
    built = build_plan(api, content, signature, options=options, timings=kept.read(TIMINGS, timings_key))
    plan = _loaded(api, built.plan, signature, threads=options.threads, kernels=None)
    kept.keep(PLAN, key, built.plan)  # only what loads is worth keeping
    if built.timings is not None:
        kept.keep(TIMINGS, timings_key, built.timings)
    return plan


def _keep_kernels(plan: LoadedPlan, kept: PlanCache, key: PlanKey) -> None:
    """What the library compiled while it ran is not compiled again at the next start."""
    kernels = plan.compiled()
    if kernels is not None and kernels != kept.read(KERNELS, key):
        kept.keep(KERNELS, key, kernels)


def _loaded(
    api: Api, content: bytes, signature: Signature, *, threads: int, kernels: bytes | None
) -> LoadedPlan:
    with errors_of(api.words, "load a plan"), ExitStack() as undo:
        plan = LoadedPlan(api, content, threads=threads, compiled=kernels)
        undo.callback(plan.close)
        plan.check(signature)
        undo.pop_all()
    return plan


def _content(model: Path) -> bytes:
    try:
        return model.read_bytes()
    except OSError as error:
        raise EngineError(
            f"The model {model.name} cannot be read: {error}.",
            remedy="Install the bundle again; `scanside models verify` says what is wrong with it.",
        ) from error
