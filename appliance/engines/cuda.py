# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on an NVIDIA GPU, through its CUDA provider: no plan to build, a little slower than TensorRT.

Without a driver, or without one of its libraries, ONNX Runtime falls back to the processor and only logs a
line. Here that is an error: the driver is asked first, and the session must really have the provider.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from appliance.engines import ort
from appliance.engines.base import EngineDescription
from appliance.engines.checked import CheckedEngine
from appliance.engines.graph import Signature, read_signature
from appliance.engines.nvidia.device import LOST, OUT_OF_MEMORY, device_error
from appliance.engines.nvidia.driver import probe_driver
from appliance.errors import EngineError

PACKAGE: Final = "onnxruntime-gpu"
PROVIDER: Final = "CUDAExecutionProvider"
OPTIONS: Final[Mapping[str, str]] = {"device_id": "0", "use_tf32": "0"}
"""TF32 would compute a float32 graph with ten bits of mantissa."""
FAILURE: Final = re.compile(r"CUDA failure (\d+)")
"""How ONNX Runtime tells the number of a CUDA error."""
NO_MEMORY: Final = re.compile(r"out of memory|Failed to allocate memory|BFCArena", re.IGNORECASE)


class BoundEngine(CheckedEngine):
    """A session whose inputs stay in the device's memory from run to run of the same shape."""

    def __init__(
        self, session: Any, *, signature: Signature, description: EngineDescription, memory: str
    ) -> None:
        """`memory` is ONNX Runtime's name of the device's memory: "cuda" or "cpu"."""
        super().__init__(signature=signature, description=description)
        self._session: Any = session
        self._memory = memory
        self._values: dict[str, Any] = {}
        self._faults = ort.faults()

    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        try:
            binding = self._session.io_binding()
            for name, array in inputs.items():
                binding.bind_ortvalue_input(name, self._value(name, array))
            for port in self.signature.outputs:
                binding.bind_output(port.name, self._memory)
            self._session.run_with_iobinding(binding)
            values = binding.copy_outputs_to_cpu()
        except self._faults as error:
            raise gpu_fault(str(error)) from error
        return {port.name: value for port, value in zip(self.signature.outputs, values, strict=True)}

    def _value(self, name: str, array: NDArray[Any]) -> Any:
        """The input in the device's memory; the one of the run before, when it has the same shape."""
        value = self._values.get(name)
        if value is not None and tuple(value.shape()) == array.shape:
            value.update_inplace(array)
            return value
        kept = ort.quiet_onnxruntime().OrtValue.ortvalue_from_numpy(array, self._memory, 0)
        self._values[name] = kept
        return kept

    def _release(self) -> None:
        self._values.clear()
        self._session = None


def gpu_fault(said: str) -> EngineError:
    """The error for what ONNX Runtime says of a run on the GPU."""
    number = FAILURE.search(said)
    if number is not None:
        for name, code in LOST.items():
            if code == int(number[1]):
                return device_error("ONNX Runtime", name)
    if NO_MEMORY.search(said):
        return device_error("ONNX Runtime", next(iter(OUT_OF_MEMORY)))
    return EngineError(f"ONNX Runtime failed on this input: {said}.", remedy="The next engine takes over.")


def version() -> str:
    """The installed version of the package with the CUDA provider."""
    return installed_version(PACKAGE)


def device_key() -> str:
    """Driver, GPU and compute capability in one line. Raises EngineError when there is none."""
    return probe_driver().key


def load(model: Path, *, threads: int) -> BoundEngine:
    """Load a verified ONNX file on the first GPU."""
    signature = read_signature(model)
    gpu = probe_driver()
    available = ort.quiet_onnxruntime().get_available_providers()
    if PROVIDER not in available:
        raise EngineError(
            f"The installed ONNX Runtime cannot use a GPU: it has only {available}.",
            remedy=f"Install {PACKAGE} in place of onnxruntime, or leave cuda out of worker.engines.",
        )
    session = ort.open_session(
        model, signature=signature, threads=threads, provider=PROVIDER, options=OPTIONS
    )
    return BoundEngine(
        session,
        signature=signature,
        description=EngineDescription(
            engine="cuda", version=version(), precision=signature.precision, device=gpu.name
        ),
        memory="cuda",
    )
