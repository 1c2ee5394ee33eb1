# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which TensorRT is installed, and what it can do: decided by the names it has, not by its version alone.

One code path serves TensorRT 10.3 to 11 and TensorRT-RTX 1.7: networks are strongly typed (the precision
stands in the ONNX file as types and Q/DQ, no builder flag changes it), inputs and outputs have names, and
inference is `execute_async_v3`. Older versions lack that path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from appliance.errors import EngineError

TENSORRT: Final = "tensorrt"
TENSORRT_RTX: Final = "tensorrt_rtx"

SUPPORTED: Final[Mapping[str, tuple[tuple[int, int], tuple[int, int]]]] = {
    TENSORRT: ((10, 3), (12, 0)),
    TENSORRT_RTX: ((1, 7), (1, 8)),
}
"""First version, and first that is too new. 10.3 is JetPack 6.2's and has the strongly typed path; RTX
changes its binary interface between minor versions."""

NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "Builder": frozenset(
        (
            "build_serialized_network",
            "create_builder_config",
            "create_network",
            "create_optimization_profile",
            "max_threads",
        )
    ),
    "BuilderFlag": frozenset(("TF32",)),
    "IBuilderConfig": frozenset(
        ("add_optimization_profile", "clear_flag", "max_aux_streams", "set_memory_pool_limit")
    ),
    "ICudaEngine": frozenset(
        (
            "create_execution_context",
            "get_tensor_dtype",
            "get_tensor_mode",
            "get_tensor_name",
            "get_tensor_profile_shape",
            "num_io_tensors",
        )
    ),
    "ExecutionContextAllocationStrategy": frozenset(("USER_MANAGED",)),
    "IExecutionContext": frozenset(
        (
            "execute_async_v3",
            "get_tensor_shape",
            "infer_shapes",
            "set_device_memory",
            "set_input_shape",
            "set_tensor_address",
            "update_device_memory_size_for_shapes",
        )
    ),
    "ILogger": frozenset(("ERROR", "INTERNAL_ERROR", "WARNING", "log")),
    "IOptimizationProfile": frozenset(("set_shape",)),
    "MemoryPoolType": frozenset(("WORKSPACE",)),
    "NetworkDefinitionCreationFlag": frozenset(("STRONGLY_TYPED",)),
    "OnnxParser": frozenset(("get_error", "num_errors", "parse")),
    "ParserError": frozenset(("desc", "node_name", "node_operator")),
    "Runtime": frozenset(("deserialize_cuda_engine", "max_threads")),
    "TensorIOMode": frozenset(("INPUT", "OUTPUT")),
}
"""Class to the names of it that this package uses in every version."""
FEATURES: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "timing_cache": {
        "IBuilderConfig": frozenset(("create_timing_cache", "set_timing_cache")),
        "ITimingCache": frozenset(("serialize",)),
    },
    "runtime_config": {
        "CudaGraphStrategy": frozenset(("WHOLE_GRAPH_CAPTURE",)),
        "DynamicShapesKernelSpecializationStrategy": frozenset(("EAGER",)),
        "ICudaEngine": frozenset(("create_runtime_config",)),
        "IRuntimeCache": frozenset(("deserialize", "serialize")),
        "IRuntimeConfig": frozenset(
            (
                "create_runtime_cache",
                "cuda_graph_strategy",
                "dynamic_shapes_kernel_specialization_strategy",
                "set_execution_context_allocation_strategy",
                "set_runtime_cache",
            )
        ),
    },
    "targets": {
        "ComputeCapability": frozenset(("CURRENT",)),
        "IBuilderConfig": frozenset(("num_compute_capabilities", "set_compute_capability")),
    },
    "validity": {
        "EngineValidity": frozenset(("INVALID",)),
        "Runtime": frozenset(("get_engine_validity",)),
    },
}
"""Feature to the names that it is made of."""
HAS: Final[Mapping[str, tuple[str, ...]]] = {
    TENSORRT: ("timing_cache",),
    TENSORRT_RTX: ("runtime_config", "targets", "validity"),
}
"""Which library has which. In RTX the calls of the timing cache are there, deprecated, and do nothing."""
_VERSION: Final = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What differs between the versions that are served."""

    timing_cache: bool
    """What the builder measures can be kept for the next build."""
    runtime_config: bool
    """Contexts are configured: the library records CUDA graphs by itself, and compiles kernels late."""
    targets: bool
    """Plans can be built for named compute capabilities, with no GPU in the machine."""
    validity: bool
    """A plan can be asked whether it is for this device before it is deserialised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An imported library and what it can do."""

    module: Any
    name: str
    version: str
    features: Features

    @property
    def words(self) -> str:
        """For messages: "tensorrt 11.4.0.106"."""
        return f"{self.name} {self.version}"

    def serves(self, compute_capability: tuple[int, int]) -> bool:
        """Whether the library knows this GPU generation. TensorRT has no list: its builder says so itself."""
        if not self.features.targets:
            return True
        major, minor = compute_capability
        return hasattr(self.module.ComputeCapability, f"SM{major}{minor}")


def adapt(name: str, version: str, names: Mapping[str, Collection[str]]) -> Features:
    """What a library can do that calls itself `version` and has `names` (class to its attributes).

    Raises EngineError when the version is not served, or a name that every served version has is missing.
    """
    first, beyond = SUPPORTED[name]
    match = _VERSION.match(version)
    found = (int(match[1]), int(match[2])) if match else (0, 0)
    if not first <= found < beyond:
        raise EngineError(
            f"{name} {version} is not served: this engine needs {_dotted(first)} <= version < "
            f"{_dotted(beyond)}.",
            remedy=f"Install a {name} between them (docs/engines.md), or leave {name} out of worker.engines.",
        )
    needed = (NEEDED, *(FEATURES[feature] for feature in HAS[name]))
    missing = sorted(
        f"{kind}.{attribute}"
        for group in needed
        for kind, attributes in group.items()
        for attribute in attributes - set(names.get(kind, ()))
    )
    if missing:
        raise EngineError(
            f"{name} {version} is not whole here: it has no {', '.join(missing)}.",
            remedy="Install the full library: the lean and dispatch runtimes cannot build (docs/engines.md).",
        )
    return Features(**{feature: feature in HAS[name] for feature in FEATURES})


def names_of(module: Any) -> dict[str, list[str]]:
    """Class to its public attributes, for the classes of a library that `adapt` looks at."""
    looked_at = {kind for group in (NEEDED, *FEATURES.values()) for kind in group}
    return {
        kind: [name for name in dir(getattr(module, kind)) if not name.startswith("_")]
        for kind in sorted(looked_at)
        if hasattr(module, kind)
    }


def open_api(name: str) -> Api:
    """Import the library of that name. Raises EngineError when it is absent or not served.

    Importing needs no driver and makes no CUDA call (seen with TensorRT-RTX 1.7 and the lean runtime 11.4).
    """
    try:
        module = import_module(name)
    except (ImportError, OSError) as error:  # OSError: a library of it is there but cannot be loaded
        raise EngineError(
            f"{name} is not installed on this device: {error}.",
            remedy=f"docs/engines.md says where it comes from; or leave {name} out of worker.engines.",
        ) from error
    version = str(getattr(module, "__version__", "of no version"))
    return Api(module=module, name=name, version=version, features=adapt(name, version, names_of(module)))


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
