# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The question that comes before every NVIDIA library: is there a driver and a GPU?"""

from __future__ import annotations

import ctypes.util
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.engines.nvidia.driver import LIBRARY, Gpu, kernel_module_version, probe_driver
from appliance.errors import EngineError

CHILD = """
from appliance.engines.nvidia.driver import probe_driver
from appliance.errors import EngineError
try:
    print(probe_driver().key)
except EngineError as error:
    print("refused:", error)
"""
A_DRIVER = r"""
#include <string.h>
int cuInit(unsigned flags) { return INIT; }
int cuDriverGetVersion(int *version) { *version = 13020; return 0; }
int cuDeviceGetCount(int *count) { *count = COUNT; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetName(char *name, int size, int device) { strncpy(name, "Card of a test", size); return 0; }
int cuDeviceGetAttribute(int *value, int which, int device) { *value = which == 75 ? 8 : 9; return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = (size_t)6 << 30; return 0; }
"""


def compiled(folder: Path, *, init: int = 0, count: int = 1) -> str:
    """A library with the driver's functions, to be asked instead of it."""
    source = folder / "driver.c"
    source.write_text(A_DRIVER, encoding="utf-8")
    library = folder / f"libcuda-{init}-{count}.so"
    command = [
        "cc",
        "-shared",
        "-fPIC",
        f"-DINIT={init}",
        f"-DCOUNT={count}",
        str(source),
        "-o",
        str(library),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    return str(library)


def test_this_machine_answers_in_words_and_lives() -> None:
    """In a child: a driver's library that is broken may end the process."""
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    if ctypes.util.find_library("cuda") is None:
        assert child.stdout.startswith("refused: No NVIDIA GPU can be used on this device: no NVIDIA driver")
        assert LIBRARY in child.stdout
        assert "nvidia-smi" in child.stdout


def test_a_gpu_is_told(tmp_path: Path) -> None:
    gpu = probe_driver(compiled(tmp_path))
    module = kernel_module_version()
    assert gpu == Gpu(
        name="Card of a test",
        compute_capability=(8, 9),
        driver=f"13.2 {module}" if module else "13.2",
        memory_bytes=6 << 30,
    )
    assert gpu.key == f"Card of a test (compute capability 8.9, driver {gpu.driver})"


@pytest.mark.parametrize(
    ("init", "count", "words"),
    [
        (100, 1, r"the driver sees no GPU \(cuInit: CUDA error 100\)"),
        (803, 1, "restart the machine after an update"),
        (35, 1, "older than the CUDA"),
        (77, 1, r"the driver refuses \(cuInit: CUDA error 77\)"),
        (0, 0, "the driver sees no GPU"),
    ],
)
def test_a_driver_without_a_gpu_says_why(tmp_path: Path, init: int, count: int, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        probe_driver(compiled(tmp_path, init=init, count=count))


def test_a_library_that_is_no_driver_is_refused() -> None:
    with pytest.raises(EngineError, match="the driver has no cuInit"):
        probe_driver("libc.so.6")


@pytest.mark.parametrize(
    ("line", "version"),
    [
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 2025",
            "580.65.06",
        ),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  540.4.0  Release Build", "540.4.0"),
        ("no number", None),
    ],
)
def test_the_kernel_modules_version_is_part_of_the_key(
    tmp_path: Path, line: str, version: str | None
) -> None:
    file = tmp_path / "version"
    file.write_text(f"{line}\nGCC version: gcc version 12.2.0\n", encoding="utf-8")
    assert kernel_module_version(file) == version
    assert kernel_module_version(tmp_path / "absent") is None
