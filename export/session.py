# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Running a graph while it is still in the making: ONNX Runtime on the CPU, inner tensors included.

The engines of the appliance take finished, verified files and tell nothing of their insides; the
workshop has to look inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from appliance.engines.ort import faults, quiet_onnxruntime
from appliance.errors import InputError

Tensors = Mapping[str, NDArray[Any]]
THREADS: Final = 2
"""Of one run: the workshop shares its machine with a person."""
_ERRORS_ONLY: Final = 3
"""ONNX Runtime's severity."""


class GraphSession:
    """A graph ready to run. `inner` names further tensors to be given back beside the outputs."""

    def __init__(self, model: onnx.ModelProto, *, inner: Iterable[str] = (), threads: int = THREADS) -> None:
        library = quiet_onnxruntime()
        self.outputs: tuple[str, ...] = tuple(value.name for value in model.graph.output)
        extra = [name for name in inner if name not in self.outputs]
        if extra:
            copy = onnx.ModelProto()
            copy.CopyFrom(model)
            copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in extra)
            model = copy
        self.names: Sequence[str] = (*self.outputs, *extra)
        options = library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if extra:  # a fused layer has no inside to look at
            options.graph_optimization_level = library.GraphOptimizationLevel.ORT_ENABLE_BASIC
        try:
            self._session: Any = library.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except faults() as error:
            raise InputError(
                f"ONNX Runtime refuses the graph: {error}.",
                remedy="Export the model again; if one operator is named, write that layer another way.",
            ) from error

    def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """All outputs and inner tensors by name."""
        values = self._session.run(list(self.names), dict(inputs))
        return dict(zip(self.names, values, strict=True))


def run_all(model: onnx.ModelProto, inputs: Iterable[Tensors]) -> list[dict[str, NDArray[Any]]]:
    """The outputs for each of the inputs."""
    session = GraphSession(model)
    return [session.run(item) for item in inputs]


def relative_error(found: Sequence[Tensors], wanted: Sequence[Tensors]) -> dict[str, float]:
    """By output: the root of the squared differences over that of the squared wanted values (relative L2).

    An output that is zero throughout has the difference itself.
    """
    errors = {}
    for name in wanted[0]:
        off = sum(
            float(np.square(one[name] - two[name], dtype=np.float64).sum())
            for one, two in zip(found, wanted, strict=True)
        )
        size = sum(float(np.square(item[name], dtype=np.float64).sum()) for item in wanted)
        errors[name] = float(np.sqrt(off / size)) if size else float(np.sqrt(off))
    return errors
