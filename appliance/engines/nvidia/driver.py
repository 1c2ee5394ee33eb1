# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Is there an NVIDIA driver and a GPU, and which? Asked before any NVIDIA library makes a runtime.

A lean TensorRT runtime that is made without a driver ends the process with SIGSEGV (seen with 11.4), so
nobody may come before this question. It is put to the driver's own library, which needs no package of
Python and no CUDA toolkit: the functions used here are in every libcuda since CUDA 3.2.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.errors import EngineError

LIBRARY: Final = "libcuda.so.1"
KERNEL_MODULE: Final = Path("/proc/driver/nvidia/version")
"""One line of it names the kernel module's version; absent where the module is built into the system."""
NAME_BYTES: Final = 256
"""Room for a name; the longest known are under 50 characters."""
CAPABILITY_MAJOR: Final = 75
CAPABILITY_MINOR: Final = 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h."""
REASONS: Final = {
    3: "the driver is not initialised (a process that was forked must start anew)",
    34: "only NVIDIA's link-time stand-in for the driver is installed",
    35: "the driver is older than the CUDA that is asked of it",
    100: "the driver sees no GPU",
    101: "the GPU has no such number",
    802: "the system's fabric manager is not ready",
    803: "driver and kernel module are of different versions: restart the machine after an update",
    804: "the GPU's driver does not serve this CUDA version",
    999: "the driver fails for a reason that it does not tell",
}
"""CUresult numbers of cuda.h that stand for something a person can act on."""
_MODULE_VERSION: Final = re.compile(r"\b\d{3,}\.\d+(?:\.\d+)?\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """The first GPU as its driver tells it."""

    name: str
    compute_capability: tuple[int, int]
    driver: str
    """The CUDA version that the driver serves and, where it tells, the kernel module's: "13.0 580.65.06"."""
    memory_bytes: int

    @property
    def key(self) -> str:
        """All that makes a plan built here valid, in one line."""
        major, minor = self.compute_capability
        return f"{self.name} (compute capability {major}.{minor}, driver {self.driver})"


def probe_driver(library: str = LIBRARY) -> Gpu:
    """The first GPU. Raises EngineError with the reason in words when there is none to be used."""
    try:
        cuda: Any = ctypes.CDLL(library)
    except OSError as error:
        raise _no_gpu(f"no NVIDIA driver is installed ({error})") from error
    _ask(cuda, "cuInit", 0)
    version, count, device = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    _ask(cuda, "cuDriverGetVersion", ctypes.byref(version))
    _ask(cuda, "cuDeviceGetCount", ctypes.byref(count))
    if count.value < 1:
        raise _no_gpu("the driver sees no GPU")
    _ask(cuda, "cuDeviceGet", ctypes.byref(device), 0)
    name = ctypes.create_string_buffer(NAME_BYTES)
    _ask(cuda, "cuDeviceGetName", name, NAME_BYTES, device)
    major, minor, memory_bytes = ctypes.c_int(), ctypes.c_int(), ctypes.c_size_t()
    _ask(cuda, "cuDeviceGetAttribute", ctypes.byref(major), CAPABILITY_MAJOR, device)
    _ask(cuda, "cuDeviceGetAttribute", ctypes.byref(minor), CAPABILITY_MINOR, device)
    _ask(cuda, "cuDeviceTotalMem_v2", ctypes.byref(memory_bytes), device)
    return Gpu(
        name=name.value.decode("utf-8", errors="replace"),
        compute_capability=(major.value, minor.value),
        driver=" ".join(filter(None, (_cuda_version(version.value), kernel_module_version()))),
        memory_bytes=memory_bytes.value,
    )


def kernel_module_version(file: Path = KERNEL_MODULE) -> str | None:
    """The version of NVIDIA's kernel module, or None where it is not told."""
    try:
        match = _MODULE_VERSION.search(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return match[0] if match else None


def _cuda_version(number: int) -> str:
    """The driver gives 1000 * major + 10 * minor."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _ask(cuda: Any, function: str, *arguments: object) -> None:
    try:
        code = int(getattr(cuda, function)(*arguments))
    except AttributeError as error:
        raise _no_gpu(f"the driver has no {function}: it is too old, or not NVIDIA's") from error
    if code:
        raise _no_gpu(f"{REASONS.get(code, 'the driver refuses')} ({function}: CUDA error {code})")


def _no_gpu(reason: str) -> EngineError:
    return EngineError(
        f"No NVIDIA GPU can be used on this device: {reason}.",
        remedy="The next engine takes over. If a GPU is built in, check that `nvidia-smi` (on a Jetson: "
        "`tegrastats`) shows it and that this account may use /dev/nvidia* (groups video and render).",
    )
