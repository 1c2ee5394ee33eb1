# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that fails as its model asks it to: the fire drill for everything that must survive an engine.

The fault stands in the ONNX file's metadata under `scanside.fault`; a model without one is served zeros.
It is no choice in the settings, so it cannot run on a device by mistake.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from appliance.engines.base import EngineDescription
from appliance.engines.graph import Signature, read_signature
from appliance.engines.null import NullEngine
from appliance.errors import EngineError, EngineLostError

METADATA_KEY: Final = "scanside.fault"
ABORT_ON_LOAD: Final = "abort"
HANG_ON_LOAD: Final = "hang"
RAISE_ON_INFER: Final = "raise"
NAN_ON_INFER: Final = "nan"
SHAPE_ON_INFER: Final = "shape"
LOST_ON_INFER: Final = "lost"
ABOVE_KEY: Final = "scanside.fault.above"
"""It fails only where an input holds a value above this: it passes its proof, and one image meets it."""
IMPOSTOR: Final = "impostor"
"""It describes itself as another engine: a fall-back that nobody was told of."""


class FaultyEngine(NullEngine):
    """Zeros, or the fault."""

    def __init__(
        self,
        *,
        signature: Signature,
        description: EngineDescription,
        fault: str | None,
        above: float = float("-inf"),
    ) -> None:
        super().__init__(signature=signature, description=description)
        self._fault = fault
        self._above = above

    def _run(self, inputs: dict[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        zeros = super()._run(inputs)
        if max(float(value.max()) for value in inputs.values()) <= self._above:
            return zeros
        if self._fault == LOST_ON_INFER:
            raise EngineLostError("The device was lost, as it was asked to be.", remedy="Start anew.")
        if self._fault == RAISE_ON_INFER:
            raise EngineError("The engine failed, as it was asked to.", remedy="The next engine takes over.")
        if self._fault == NAN_ON_INFER:
            return {name: np.full_like(value, np.nan) for name, value in zeros.items()}
        if self._fault == SHAPE_ON_INFER:
            return {name: value[..., :-1] for name, value in zeros.items()}
        return zeros


def version() -> str:
    """Faults do not age."""
    return "1"


def load(model: Path, *, threads: int) -> FaultyEngine:
    """Read the shapes of the ONNX file and the fault it asks for; some faults happen here."""
    del threads
    signature = read_signature(model)
    asked = {entry.key: entry.value for entry in onnx.load(model, load_external_data=False).metadata_props}
    fault = asked.get(METADATA_KEY)
    if fault == ABORT_ON_LOAD:
        os.abort()
    if fault == HANG_ON_LOAD:
        signal.pause()
    return FaultyEngine(
        signature=signature,
        description=EngineDescription(
            engine="ort" if fault == IMPOSTOR else "faulty",
            version=version(),
            precision="none",
            device="none",
        ),
        fault=fault,
        above=float(asked.get(ABOVE_KEY, "-inf")),
    )
