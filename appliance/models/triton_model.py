# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The model as Triton's Python backend runs it: ONNX Runtime on the CPU of the server.

This file is copied beside the graph as `model.py` and runs in the server's own Python, which needs numpy
and onnxruntime and nothing of Scanside. It is for servers without another backend; those that have one
compute the same graph without it.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

MODEL_PARAMETER = "scanside_model_sha256"
PRECISION_PARAMETER = "scanside_precision"
THREADS_PARAMETER = "scanside_threads"
GRAPH = "model.onnx"
TAKEN = ctypes.c_char_p(b"used_dltensor")
"""How numpy wants a capsule to be marked whose memory somebody else has taken over."""


class TritonPythonModel:
    """One instance: one session."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the graph, if it is the one that the configuration names."""
        # the process that Triton starts for a model takes no notice of PYTHONPATH
        sys.path[:0] = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
        self._triton: Any = importlib.import_module("triton_python_backend_utils")
        self._numpy: Any = importlib.import_module("numpy")
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it would report to its maker; read when it is loaded
        runtime: Any = importlib.import_module("onnxruntime")
        runtime.disable_telemetry_events()

        configuration = json.loads(args["model_config"])
        asked = {key: value["string_value"] for key, value in configuration["parameters"].items()}
        graph = (Path(args["model_repository"]) / args["model_version"] / GRAPH).read_bytes()
        found = hashlib.sha256(graph).hexdigest()
        if found != asked[MODEL_PARAMETER]:
            raise self._triton.TritonModelException(
                f"{GRAPH} is not the graph of the configuration: its SHA-256 is {found}. Publish it again."
            )
        options = runtime.SessionOptions()
        options.intra_op_num_threads = int(asked[THREADS_PARAMETER])
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if asked[PRECISION_PARAMETER] != "int8":
            # weights that are only stored as int8 are unpacked once, not at every run
            options.add_session_config_entry("session.disable_quant_qdq", "1")
        self._session: Any = runtime.InferenceSession(
            graph, sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [port["name"] for port in configuration["input"]]
        self._outputs = [port["name"] for port in configuration["output"]]
        self._batches = configuration["max_batch_size"] > 0

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answers in the order of the requests; those that Triton hands over together run together."""
        taken = [
            {
                name: self._numpy.from_dlpack(self._triton.get_input_tensor_by_name(request, name))
                for name in self._inputs
            }
            for request in requests
        ]
        if not self._batches or len(taken) == 1:
            return [self._response(self._run(inputs)) for inputs in taken]
        sizes = [len(inputs[self._inputs[0]]) for inputs in taken]
        together = {
            name: self._numpy.concatenate([inputs[name] for inputs in taken]) for name in self._inputs
        }
        answers = self._run(together)
        ends = self._numpy.cumsum(sizes)
        return [
            self._response([answer[end - size : end].copy() for answer in answers])
            for size, end in zip(sizes, ends, strict=True)
        ]

    def _run(self, inputs: dict[str, Any]) -> list[Any]:
        return list(self._session.run(self._outputs, inputs))

    def _response(self, answers: list[Any]) -> Any:
        return self._triton.InferenceResponse(
            [self._tensor(name, answer) for name, answer in zip(self._outputs, answers, strict=True)]
        )

    def _tensor(self, name: str, value: Any) -> Any:
        """By DLPack, like the inputs.

        Triton's own conversions know the C structures of numpy 1: with numpy 2 every value of an input is its
        first one, and an output has no bytes (both seen in Triton 2.51). It marks a taken capsule in words
        that numpy does not know, so numpy would complain at each one.
        """
        capsule = self._numpy.ascontiguousarray(value).__dlpack__()
        tensor = self._triton.Tensor.from_dlpack(name, capsule)
        ctypes.pythonapi.PyCapsule_SetName(ctypes.py_object(capsule), TAKEN)
        return tensor
