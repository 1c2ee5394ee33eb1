# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the graphics processor says of itself, through NVML (NVIDIA Management Library).

Asked through `cuda.bindings.nvml`, which comes with the engines for NVIDIA (docs/engines.md). Without it, or
without a driver, the device does not tell: None. Not seen on a GPU yet (docs/verified-on.md).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from appliance.engines.nvidia.driver import probe_driver
from appliance.errors import EngineError

FIRST: Final = 0
"""The appliance computes on the first GPU."""
SENSOR_GPU: Final = 0
"""NVML_TEMPERATURE_GPU, the die."""
MILLI: Final = 1e-3
"""NVML counts in milliwatts and millijoules."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuState:
    """The first GPU. None: it does not say."""

    name: str
    compute_capability: str
    driver: str
    memory_bytes: int
    temperature_c: float | None
    power_limit_w: float | None


def describe_gpu() -> GpuState | None:
    """The first GPU as it is now; None where the driver sees none."""
    try:
        gpu = probe_driver()
    except EngineError:
        return None
    major, minor = gpu.compute_capability
    return GpuState(
        name=gpu.name,
        compute_capability=f"{major}.{minor}",
        driver=gpu.driver,
        memory_bytes=gpu.memory_bytes,
        temperature_c=_ask(lambda nvml, device: float(nvml.device_get_temperature_v(device, SENSOR_GPU))),
        power_limit_w=_ask(lambda nvml, device: nvml.device_get_enforced_power_limit(device) * MILLI),
    )


def gpu_joules() -> float | None:
    """Energy of the first GPU since its driver was loaded, J; None where NVML does not tell."""
    return _ask(lambda nvml, device: nvml.device_get_total_energy_consumption(device) * MILLI)


def _ask(question: Callable[[Any, int], T]) -> T | None:
    """The answer of the first GPU; None for whatever keeps it from answering."""
    try:
        nvml: Any = importlib.import_module("cuda.bindings.nvml")
    except ImportError:
        return None
    faults = (AttributeError, RuntimeError, nvml.NvmlError)  # an older package, no library, a refusal
    try:
        nvml.init_v2()
    except faults:
        return None
    try:
        return question(nvml, nvml.device_get_handle_by_index_v2(FIRST))
    except faults:
        return None
    finally:
        with suppress(*faults):
            nvml.shutdown()
