# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a measurement was taken on: numbers without their machine say nothing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

import psutil

TELLING_FLAGS: Final = frozenset(
    {
        "avx2",
        "avx512f",
        "avx512_bf16",
        "avx512_fp16",
        "avx512_vnni",
        "avx_vnni",
        "amx_bf16",
        "amx_int8",
        "asimd",
        "asimddp",
        "i8mm",
        "bf16",
    }
)
"""CPU flags on which the speed of inference and decoding depends."""
LIBRARIES: Final = (
    "numpy",
    "pydicom",
    "imagecodecs",
    "python-gdcm",
    "opencv-python-headless",
    "onnxruntime",
    "openvino",
    "apsw",
    "scikit-image",
    "scipy",
    "watchdog",
)
_CPU_INFO: Final = Path("/proc/cpuinfo")
_GOVERNOR: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The device and the versions in use. None: this machine does not say."""

    cpu: str | None
    cpu_flags: tuple[str, ...]
    cores: int
    """Logical processors that this process may use."""
    memory_bytes: int
    kernel: str
    """Without what its builder added to the version."""
    architecture: str
    governor: str | None
    python: str
    libraries: dict[str, str]
    """Installed version by name; a library that is not there is left out."""
    load_1min: float
    """Load average when the description was made: how quiet the machine was."""


def describe_machine() -> Machine:
    """Describe this machine as it is now."""
    info = _CPU_INFO.read_text(encoding="utf-8", errors="replace") if _CPU_INFO.exists() else ""
    flags = set((_cpu_field(info, "flags") or _cpu_field(info, "Features") or "").split())
    return Machine(
        cpu=_cpu_field(info, "model name"),
        cpu_flags=tuple(sorted(flags & TELLING_FLAGS)),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        kernel=platform.release().partition("-")[0],
        architecture=platform.machine(),
        governor=_GOVERNOR.read_text(encoding="ascii").strip() if _GOVERNOR.exists() else None,
        python=platform.python_version(),
        libraries=_versions(),
        load_1min=round(os.getloadavg()[0], 2),
    )


def _cpu_field(info: str, name: str) -> str | None:
    for line in info.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _versions() -> dict[str, str]:
    installed = {distribution.name: distribution.version for distribution in metadata.distributions()}
    return {name: installed[name] for name in LIBRARIES if name in installed}
