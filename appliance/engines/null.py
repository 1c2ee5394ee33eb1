# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""No device at all: zeros of the declared shapes, to measure and test everything around a model.

It cannot pass the proof against golden data, so it never answers for a patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.engines.base import EngineDescription
from appliance.engines.checked import CheckedEngine
from appliance.engines.graph import Port, read_signature
from appliance.errors import EngineError


class NullEngine(CheckedEngine):
    """Zeros."""

    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        axes = {
            name: size
            for port in self.signature.inputs
            for name, size in zip(port.shape, inputs[port.name].shape, strict=True)
            if isinstance(name, str)
        }
        return {port.name: np.zeros(_sizes(port, axes), port.dtype) for port in self.signature.outputs}

    def _release(self) -> None:
        """Nothing is held."""


def _sizes(port: Port, axes: Mapping[str, int]) -> tuple[int, ...]:
    sizes = tuple(size if isinstance(size, int) else axes.get(size or "") for size in port.shape)
    if None in sizes:
        raise EngineError(
            f"The size of {port.words} does not follow from the inputs.",
            remedy="The null engine serves only models whose output axes are fixed or named like an input's.",
        )
    return tuple(size for size in sizes if size is not None)


def version() -> str:
    """Of zeros there is one."""
    return "1"


def load(model: Path, *, threads: int) -> NullEngine:
    """Read the shapes of a verified ONNX file; its weights are not looked at."""
    del threads
    return NullEngine(
        signature=read_signature(model),
        description=EngineDescription(engine="null", version=version(), precision="none", device="none"),
    )
