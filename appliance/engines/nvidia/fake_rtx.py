# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A TensorRT for RTX that is none: what it has beside TensorRT, over the same fake device.

It builds for named targets, says whether a plan is valid, records CUDA graphs by itself, and compiles
kernels when a context is opened, which can be kept.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from appliance.engines.nvidia.api import TENSORRT_RTX, Api, adapt, names_of
from appliance.engines.nvidia.fake_builder import MAGIC, Builder, IBuilderConfig
from appliance.engines.nvidia.fake_device import FakeDevice
from appliance.engines.nvidia.fake_library import (
    ExecutionContextAllocationStrategy,
    ICudaEngine,
    IExecutionContext,
    Runtime,
    fake_module,
)

VERSION: Final = "1.7.1"
KERNELS: Final = b"kernels "
"""Begins what is kept of compiling; a number follows: how often kernels were compiled."""


class ComputeCapability(IntEnum):
    """What plans can be built for."""

    CURRENT = -1
    SM86 = 86


class CudaGraphStrategy(IntEnum):
    """Whether the library records graphs."""

    DISABLED = 0
    WHOLE_GRAPH_CAPTURE = 1


class DynamicShapesKernelSpecializationStrategy(IntEnum):
    """When kernels for a shape are compiled."""

    LAZY = 0
    EAGER = 1


class EngineValidity(IntEnum):
    """Whether a plan is for this device."""

    VALID = 0
    INVALID = 2


class RtxBuilderConfig(IBuilderConfig):
    """Also for which GPUs."""

    num_compute_capabilities = 0

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[ComputeCapability] = []

    def set_compute_capability(self, target: ComputeCapability, index: int) -> bool:
        """One of them."""
        if index >= self.num_compute_capabilities:
            return False
        self.targets.append(target)
        return True


class RtxBuilder(Builder):
    """Builds as TensorRT's does."""

    def create_builder_config(self) -> RtxBuilderConfig:
        """With the library's own choices."""
        return RtxBuilderConfig()


class IRuntimeCache:
    """Compiled kernels: here, how often they were."""

    def __init__(self) -> None:
        self.compiled = 0

    def deserialize(self, blob: bytes) -> bool:
        """Whether they are of use here."""
        if not blob.startswith(KERNELS):
            return False
        self.compiled = int(blob.removeprefix(KERNELS))
        return True

    def serialize(self) -> bytes:
        """To be kept."""
        return KERNELS + str(self.compiled).encode("ascii")


class IRuntimeConfig:
    """How contexts run."""

    cuda_graph_strategy = CudaGraphStrategy.DISABLED
    dynamic_shapes_kernel_specialization_strategy = DynamicShapesKernelSpecializationStrategy.LAZY

    def __init__(self) -> None:
        self.cache: IRuntimeCache | None = None
        self.allocation = ExecutionContextAllocationStrategy.STATIC

    def set_execution_context_allocation_strategy(self, strategy: ExecutionContextAllocationStrategy) -> None:
        """Who gives contexts their scratch memory."""
        self.allocation = strategy

    def create_runtime_cache(self) -> IRuntimeCache:
        """Empty."""
        return IRuntimeCache()

    def set_runtime_cache(self, cache: IRuntimeCache) -> bool:
        """Use it."""
        self.cache = cache
        return True


class RtxEngine(ICudaEngine):
    """A plan whose contexts compile kernels, where none were kept."""

    def create_runtime_config(self) -> IRuntimeConfig:
        """With the library's own choices."""
        return IRuntimeConfig()

    def create_execution_context(self, how: Any) -> IExecutionContext | None:
        """A new one. Opened with other choices than ours it would answer later with other kernels: None."""
        config = how
        if (
            not isinstance(config, IRuntimeConfig)
            or config.cuda_graph_strategy is not CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
            or config.dynamic_shapes_kernel_specialization_strategy
            is not DynamicShapesKernelSpecializationStrategy.EAGER
        ):
            return None
        if config.cache is not None and not config.cache.compiled:
            config.cache.compiled += 1
        return super().create_execution_context(config.allocation)


class RtxRuntime(Runtime):
    """Can be asked before it reads."""

    engine_kind = RtxEngine

    def get_engine_validity(self, plan: bytes) -> tuple[EngineValidity, int]:
        """Whether the plan is for this device, and a number for why not."""
        valid = plan.startswith(MAGIC)
        return (EngineValidity.VALID, 0) if valid else (EngineValidity.INVALID, 1)


def fake_rtx(device: FakeDevice) -> Api:
    """TensorRT for RTX over a fake device, held to the same list of names as the real one."""
    module = fake_module(
        device,
        Builder=RtxBuilder,
        ComputeCapability=ComputeCapability,
        CudaGraphStrategy=CudaGraphStrategy,
        DynamicShapesKernelSpecializationStrategy=DynamicShapesKernelSpecializationStrategy,
        EngineValidity=EngineValidity,
        IBuilderConfig=RtxBuilderConfig,
        ICudaEngine=RtxEngine,
        IRuntimeCache=IRuntimeCache,
        IRuntimeConfig=IRuntimeConfig,
        Runtime=RtxRuntime,
    )
    return Api(
        module=module,
        name=TENSORRT_RTX,
        version=VERSION,
        features=adapt(TENSORRT_RTX, VERSION, names_of(module)),
    )
