# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO on the CPU, in float32 and in silence.

Two habits of the library are switched off here. Left alone it computes float32 models in bfloat16 on
CPUs that have it, which changes answers and on those without AMX is slower too. And `import openvino`
by itself starts a process that reports the import to a web analytics service: nothing may leave the
device, so the reporting package is kept out before the first import. Nothing else imports openvino.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.engines.base import EngineDescription
from appliance.engines.checked import CheckedEngine
from appliance.engines.graph import Signature, read_signature
from appliance.errors import EngineError

REPORTING_PACKAGE: Final = "openvino_telemetry"
COMPUTING: Final = frozenset({"Convolution", "FullyConnected", "MatMul"})
"""Layers in which nearly all the arithmetic is; their precision is the model's."""
NARROW: Final = ("i8", "u8", "bf16", "f16")
"""Precisions to be told about, the narrowest first."""


def quiet_openvino() -> Any:
    """The library, with its reporting kept out. The one door to it for every part of this project."""
    if "openvino" not in sys.modules:
        sys.modules[REPORTING_PACKAGE] = None  # type: ignore[assignment]  # None refuses the import
    return importlib.import_module("openvino")


class OpenVinoEngine(CheckedEngine):
    """One compiled model and its one request."""

    def __init__(self, compiled: Any, *, signature: Signature) -> None:
        super().__init__(
            signature=signature,
            description=EngineDescription(
                engine="openvino",
                version=version(),
                precision=_precision(compiled),
                device="+".join(compiled.get_property("EXECUTION_DEVICES")),
            ),
        )
        self._compiled = compiled
        self._request = compiled.create_infer_request()

    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        try:
            self._request.infer(inputs, share_inputs=True)
            return {
                port.name: np.array(
                    self._request.get_tensor(port.name).data
                )  # a copy: the next run reuses it
                for port in self.signature.outputs
            }
        except (RuntimeError, TypeError, ValueError) as error:
            raise EngineError(
                f"OpenVINO failed on this input: {error}.", remedy="The next engine takes over."
            ) from error

    def _release(self) -> None:
        self._request = None
        self._compiled = None


def _precision(compiled: Any) -> str:
    """What the compiled layers really compute in: f32, or the narrowest other one."""
    used = {
        str(node.get_rt_info()["runtimePrecision"].astype(str))
        for node in compiled.get_runtime_model().get_ops()
        if node.get_rt_info()["layerType"].astype(str) in COMPUTING
    }
    narrow = [name for name in NARROW if name in used]
    return {"i8": "int8", "u8": "int8"}.get(narrow[0], narrow[0]) if narrow else "f32"


def version() -> str:
    """The installed version."""
    return installed_version("openvino")


def load(model: Path, *, threads: int) -> OpenVinoEngine:
    """Compile a verified ONNX file.

    Nothing is cached on disk: a compiled blob would be code that no signed list covers, and the small
    models here compile in a fraction of a second.
    """
    signature = read_signature(model)
    openvino = quiet_openvino()
    try:
        compiled = openvino.Core().compile_model(
            str(model),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY",
                "ENABLE_CPU_PINNING": False,
            },
        )
        return OpenVinoEngine(compiled, signature=signature)
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        raise EngineError(
            f"OpenVINO {version()} cannot load {model.name}: {error}.",
            remedy="The next engine takes over; `scanside models verify` tries all of them.",
        ) from error
