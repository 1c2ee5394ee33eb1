# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a measurement was taken on: numbers without their machine say nothing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psutil

from appliance.monitor.thermal import read_temperature
from benchmarks.gpu import GpuState, describe_gpu

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
    "tensorrt",
    "tensorrt-rtx",
    "cuda-bindings",
    "PyQt6",
    "apsw",
    "scikit-image",
    "scipy",
    "watchdog",
)
_CPU_INFO: Final = Path("/proc/cpuinfo")
_GOVERNOR: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
POWER_MODE_COMMAND: Final = "nvpmodel"
"""NVIDIA's command on a Jetson: `nvpmodel -q` says "NV Power Mode: MAXN", and its number on the next line."""
POWER_MODE_ANSWER: Final = "NV Power Mode:"
POWER_MODE_TIMEOUT_S: Final = 10.0
MEMORY_STEP_BYTES: Final = 256 * 1024**2
"""Kernels keep more or less for themselves; a module of memory more is another machine."""


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
    power_mode: str | None
    """Of a Jetson, as `nvpmodel -q` names it."""
    temperature_c: float | None
    """Of the zone nearest to its limit (Linux thermal framework)."""
    gpu: GpuState | None
    python: str
    libraries: dict[str, str]
    """Installed version by name; a library that is not there is left out."""
    load_1min: float
    """Load average when the description was made: how quiet the machine was."""


def describe_machine() -> Machine:
    """Describe this machine as it is now."""
    info = _CPU_INFO.read_text(encoding="utf-8", errors="replace") if _CPU_INFO.exists() else ""
    temperature = read_temperature()
    flags = set((_cpu_field(info, "flags") or _cpu_field(info, "Features") or "").split())
    return Machine(
        cpu=_cpu_field(info, "model name"),
        cpu_flags=tuple(sorted(flags & TELLING_FLAGS)),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        kernel=platform.release().partition("-")[0],
        architecture=platform.machine(),
        governor=_GOVERNOR.read_text(encoding="ascii").strip() if _GOVERNOR.exists() else None,
        power_mode=read_power_mode(),
        temperature_c=None if temperature is None else temperature.celsius,
        gpu=describe_gpu(),
        python=platform.python_version(),
        libraries=_versions(),
        load_1min=round(os.getloadavg()[0], 2),
    )


def plain_machine() -> dict[str, Any]:
    """This machine as JSON has it."""
    plain = asdict(describe_machine())
    plain["cpu_flags"] = list(plain["cpu_flags"])
    return plain


def read_power_mode(command: str = POWER_MODE_COMMAND) -> str | None:
    """The power mode of a Jetson; None where there is no such command, or it does not say."""
    found = shutil.which(command)
    if found is None:
        return None
    try:
        done = subprocess.run(
            [found, "-q"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=POWER_MODE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answers = [line.partition(POWER_MODE_ANSWER)[2].strip() for line in done.stdout.splitlines()]
    return next(filter(None, answers), None)


def _cpu_field(info: str, name: str) -> str | None:
    for line in info.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _versions() -> dict[str, str]:
    installed = {distribution.name: distribution.version for distribution in metadata.distributions()}
    return {name: installed[name] for name in LIBRARIES if name in installed}


def same_machine(one: Machine, other: Machine) -> str | None:
    """The first thing in which two descriptions are of different machines; None: they may be the same."""
    return first_difference(asdict(one), asdict(other))


def first_difference(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """As `same_machine`, for descriptions as JSON has them, older ones too."""
    for what in ("cpu", "cpu_flags", "cores", "architecture", "governor", "power_mode"):
        if _plain(one.get(what)) != _plain(other.get(what)):
            return f"{what.replace('_', ' ')}: {one.get(what)} and {other.get(what)}"
    if abs(one["memory_bytes"] - other["memory_bytes"]) > MEMORY_STEP_BYTES:
        return "memory"
    gpus = [(machine.get("gpu") or {}).get("name") for machine in (one, other)]
    return None if gpus[0] == gpus[1] else f"gpu: {gpus[0]} and {gpus[1]}"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value
