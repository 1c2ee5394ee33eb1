# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the CPU: the reference, and the engine that every machine has.

Since it began to report to its maker on Linux too (a queue under ~/.cache and a thread that uploads it),
it is told not to before it is loaded: nothing may leave the device. Nothing else imports onnxruntime.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from appliance.engines.base import EngineDescription
from appliance.engines.checked import CheckedEngine
from appliance.engines.graph import INT8, Signature, read_signature
from appliance.errors import EngineError

PROVIDER: Final = "CPUExecutionProvider"
ERRORS_ONLY: Final = 3
"""ONNX Runtime's severity: warnings about the machine are not for the log of every start."""
REPORTING_OFF: Final = "ORT_DISABLE_TELEMETRY"


def quiet_onnxruntime() -> Any:
    """The library, with its reporting kept out. The one door to it for every part of this project."""
    os.environ[REPORTING_OFF] = "1"  # read once, when the library is loaded
    library = importlib.import_module("onnxruntime")
    library.disable_telemetry_events()  # in case somebody loaded it before us
    return library


def faults() -> tuple[type[Exception], ...]:
    """Everything the library raises: its own classes have no common ancestor below Exception."""
    states = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    own = (kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, Exception))
    return (*own, RuntimeError, ValueError)


class OrtEngine(CheckedEngine):
    """One session."""

    def __init__(self, session: Any, *, signature: Signature) -> None:
        super().__init__(
            signature=signature,
            description=EngineDescription(
                engine="ort", version=version(), precision=signature.precision, device="CPU"
            ),
        )
        self._session: Any = session
        self._faults = faults()
        self._names = [port.name for port in signature.outputs]

    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        try:
            values = self._session.run(self._names, inputs)
        except self._faults as error:
            raise EngineError(
                f"ONNX Runtime failed on this input: {error}.", remedy="The next engine takes over."
            ) from error
        return dict(zip(self._names, values, strict=True))

    def _release(self) -> None:
        self._session = None


def version() -> str:
    """The installed version."""
    return installed_version("onnxruntime")


def open_session(
    model: Path,
    *,
    signature: Signature,
    threads: int,
    provider: str = PROVIDER,
    options: Mapping[str, str] | None = None,
) -> Any:
    """A session that computes on `provider` first. Raises EngineError when the library put another there.

    Threads sleep between runs: an idle appliance costs nothing.
    """
    onnxruntime = quiet_onnxruntime()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.log_severity_level = ERRORS_ONLY
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if signature.precision != INT8:
        # weights that are only stored as int8 are unpacked once, not at every run: half the time (measured)
        settings.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        session = onnxruntime.InferenceSession(
            str(model), sess_options=settings, providers=[(provider, dict(options or {}))]
        )
    except faults() as error:
        raise EngineError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load {model.name}: {error}.",
            remedy="The next engine takes over; `scanside models verify` tries all of them.",
        ) from error
    given = session.get_providers()
    if given[0] != provider:
        raise EngineError(
            f"ONNX Runtime was asked for {provider} and gave {given}.",
            remedy="Install exactly one of its packages, with the libraries that it needs (docs/engines.md); "
            "two of its variants break each other.",
        )
    return session


def load(model: Path, *, threads: int) -> OrtEngine:
    """Load a verified ONNX file."""
    signature = read_signature(model)
    return OrtEngine(open_session(model, signature=signature, threads=threads), signature=signature)
