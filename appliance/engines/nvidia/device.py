# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The few things that the run-time loop asks of a GPU, and what its errors mean to the appliance.

Three implementations: `cuda_python` (NVIDIA's own bindings, preferred), `pycuda_device` and `fake_device`
(host memory, so that the loop can be checked on any machine). Pointers, streams and graphs are integers,
as TensorRT takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, Protocol

from numpy.typing import DTypeLike, NDArray

from appliance.errors import EngineError, EngineLostError, EngineMemoryError

IMPLEMENTATIONS: Final = ("cuda_python", "pycuda_device")
"""Modules of this folder, in order of preference: only the first can capture CUDA graphs."""

OUT_OF_MEMORY: Final = frozenset(("cudaErrorMemoryAllocation",))
LOST: Final[Mapping[str, int]] = {
    "cudaErrorAssert": 710,
    "cudaErrorContained": 226,
    "cudaErrorECCUncorrectable": 214,
    "cudaErrorExternalDevice": 911,
    "cudaErrorHardwareStackError": 714,
    "cudaErrorIllegalAddress": 700,
    "cudaErrorIllegalInstruction": 715,
    "cudaErrorInvalidAddressSpace": 717,
    "cudaErrorInvalidPc": 718,
    "cudaErrorLaunchFailure": 719,
    "cudaErrorLaunchTimeout": 702,
    "cudaErrorMisalignedAddress": 716,
    "cudaErrorMpsClientTerminated": 810,
    "cudaErrorNvlinkUncorrectable": 220,
    "cudaErrorTensorMemoryLeak": 721,
    "cudaErrorUnknown": 999,
}
"""Errors, with their numbers, of which the CUDA Runtime API says that the process must be terminated and
relaunched ("sticky"), and three after which nothing on the GPU can be trusted: wrong bits in memory or on a
link, and the unknown."""


class Device(Protocol):
    """One GPU, used by one thread. Everything raises EngineError or one of its classes for GPUs."""

    captures: bool
    """Whether launches can be recorded into a graph and launched again as one."""

    def allocate(self, size_bytes: int) -> int:
        """Device memory; its address. Raises EngineMemoryError when there is none left."""

    def free(self, pointer: int) -> None:
        """Give device memory back."""

    def pin(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """A page-locked array on the host: only from and to such memory are copies asynchronous."""

    def unpin(self, array: NDArray[Any]) -> None:
        """Give an array of `pin` back; it must not be touched afterwards."""

    def open_stream(self) -> int:
        """A queue of work on the device, apart from the default one."""

    def close_stream(self, stream: int) -> None:
        """Give the stream back."""

    def copy_in(self, pointer: int, source: NDArray[Any], stream: int) -> None:
        """Queue a copy of a pinned array to device memory."""

    def copy_out(self, target: NDArray[Any], pointer: int, stream: int) -> None:
        """Queue a copy of device memory to a pinned array."""

    def synchronize(self, stream: int) -> None:
        """Wait until all queued work is done. Faults of that work are raised here."""

    def begin_capture(self, stream: int) -> None:
        """From here on work queued in the stream is recorded and not done."""

    def end_capture(self, stream: int) -> int:
        """The recorded work as a graph that can be launched. Capturing ends in any case."""

    def launch(self, graph: int, stream: int) -> None:
        """Queue the graph's work."""

    def drop_graph(self, graph: int) -> None:
        """Give the graph back."""

    def close(self) -> None:
        """Give back what the implementation itself holds."""


def device_error(call: str, code_name: str) -> EngineError:
    """The error for a CUDA call that answered with `code_name`, a name of cudaError_t."""
    if code_name in OUT_OF_MEMORY:
        return EngineMemoryError(
            f"The GPU has no memory left ({call}: {code_name}).",
            remedy="The next engine takes over. Stop what else runs on this GPU, or keep fewer models on it.",
        )
    if code_name in LOST:
        return EngineLostError(
            f"The GPU failed and is lost to this process ({call}: {code_name}).",
            remedy="The next engine takes over until the worker is started anew. If it happens again, look "
            "at the GPU: `dmesg` names the fault after the word Xid.",
        )
    return EngineError(f"The GPU refused a call ({call}: {code_name}).", remedy="The next engine takes over.")


def open_device() -> Device:
    """The first GPU through the first implementation that is installed. Raises EngineError without one."""
    absent = []
    for name in IMPLEMENTATIONS:
        try:
            device: Device = import_module(f"appliance.engines.nvidia.{name}").open_first()
        except ImportError as error:
            absent.append(str(error))
        else:
            return device
    raise EngineError(
        f"Nothing that reaches the GPU's memory is installed: {'; '.join(absent)}.",
        remedy="Install cuda-bindings (it needs no compiler), or pycuda.",
    )
