# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A small inference server that speaks KServe v2 over real gRPC and misbehaves as it is told to.

It computes with ONNX Runtime. What Triton cannot be made to do (wrong bytes, a wrong model under the right
name, no call for the configuration) is asked of this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype

from appliance.engines.catalogue import load_engine
from appliance.engines.graph import read_signature
from appliance.engines.kserve import publication_of


class SmallServer(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]  # generated, untyped
    """One model of a bundle. Change its attributes to make it misbehave; `seen` holds what came in."""

    def __init__(self, model: Path) -> None:
        self.publication = publication_of(model)
        self.signature = read_signature(model)
        self.engine = load_engine("ort", model, threads=1)
        self.parameters = dict(self.publication.parameters)
        self.max_batch = 0
        self.ready = True
        self.has_configuration = True
        self.refuse: grpc.StatusCode | None = None
        self.wait: Callable[[], object] = lambda: None
        self.spoil: Callable[[dict[str, np.ndarray[Any, Any]]], dict[str, np.ndarray[Any, Any]]] = dict
        self.cut_bytes = 0
        self.tell_shape: Callable[[list[int]], list[int]] = list
        self.seen: list[Any] = []

    def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802  (the protocol's name)
        return service_pb2.ServerMetadataResponse(name="small", version="1")

    def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        known = (request.name, request.version) == (self.publication.name, self.publication.version)
        return service_pb2.ModelReadyResponse(ready=self.ready and known)

    def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        def tensors(ports: Any) -> Iterator[Any]:
            for port in ports:
                shape = [size if isinstance(size, int) else -1 for size in port.shape]
                yield service_pb2.ModelMetadataResponse.TensorMetadata(
                    name=port.name, datatype=np_to_triton_dtype(port.dtype), shape=self.tell_shape(shape)
                )

        return service_pb2.ModelMetadataResponse(
            name=request.name,
            versions=[request.version],
            platform="small",
            inputs=tensors(self.signature.inputs),
            outputs=tensors(self.signature.outputs),
        )

    def ModelConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        if not self.has_configuration:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        response = service_pb2.ModelConfigResponse()
        response.config.max_batch_size = self.max_batch
        for key, value in self.parameters.items():
            response.config.parameters[key].string_value = value
        return response

    def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.seen.append(request)
        self.wait()
        if self.refuse is not None:
            context.abort(self.refuse, "Exceeds maximum queue size")
        inputs = {
            tensor.name: np.frombuffer(raw, triton_to_np_dtype(tensor.datatype)).reshape(tensor.shape)
            for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        outputs = self.spoil(dict(self.engine.infer(inputs)))
        response = service_pb2.ModelInferResponse(model_name=request.model_name)
        for name, value in outputs.items():
            response.outputs.add(name=name, datatype=np_to_triton_dtype(value.dtype), shape=value.shape)
            raw = value.tobytes()
            response.raw_output_contents.append(raw[: len(raw) - self.cut_bytes])
        return response


@contextmanager
def serving(model: Path) -> Iterator[tuple[SmallServer, str]]:
    """The server and its address, until the end of the block."""
    service = SmallServer(model)
    pool = futures.ThreadPoolExecutor(max_workers=2)
    server = grpc.server(pool)
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield service, f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()
        pool.shutdown(wait=True)
        service.engine.close()
