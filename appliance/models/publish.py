# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles as a model repository: what NVIDIA Triton loads as it is, and can prove to be this bundle.

The configuration is made as the message of Triton's own schema and then written as text, so a field that
Triton does not know cannot get into it.
"""

from __future__ import annotations

import hashlib
import importlib
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.engines.graph import Port, Signature, read_signature
from appliance.engines.kserve import SUMS_PARAMETER, Publication, publication_of
from appliance.errors import ConfigError, ModelBundleError
from appliance.models import triton_model
from appliance.models.bundle import Bundle

GRAPH: Final = "model.onnx"
"""Whatever the precision: the server's folder is named by it."""
BACKENDS: Final = ("onnxruntime", "tensorrt", "openvino", "python")
DEFAULT_QUEUE_MS: Final = 2000
"""How long a request may wait for its turn; below the appliance's own deadline, so that a full server says
no before the appliance has given up waiting."""
TENSORRT_PRECISIONS: Final = {"fp32": "FP32", "fp16": "FP16", "int8": "INT8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How a server is to run a model."""

    backend: str
    instances: int
    """Copies of the model that work side by side."""
    max_batch: int
    """Images that are computed together at most, from however many appliances they came."""
    queue: int
    """Requests that may wait; the next one is refused at once and computed on its own device."""
    threads: int
    """Of one instance, where the CPU computes."""


def publish(bundle: Bundle, precision: str, serving: Serving, *, into: Path) -> Path:
    """The folder of the model in the repository `into`; what was there under this name is replaced.

    Raises ModelBundleError when the graph is not the verified one any more, ConfigError when the model cannot
    be published as asked.
    """
    if serving.backend not in BACKENDS:
        raise ConfigError(
            f"There is no backend {serving.backend!r} to publish for.",
            remedy=f"Choose from {', '.join(BACKENDS)}.",
        )
    graph = bundle.model_in(precision)
    publication = publication_of(graph)
    configuration = _configuration(publication, read_signature(graph), serving)
    into.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=into))
    try:
        unfinished.chmod(0o755)  # the server is somebody else
        folder = unfinished / publication.version
        folder.mkdir()
        content = graph.read_bytes()
        found = (hashlib.sha256(content).hexdigest(), publication.parameters[SUMS_PARAMETER])
        if found != (bundle.model_sha256[precision], bundle.sums_sha256):
            raise ModelBundleError(
                f"{graph} has changed since it was verified.", remedy="Install the bundle again."
            )
        (folder / GRAPH).write_bytes(content)
        if serving.backend == "python":
            shutil.copyfile(triton_model.__file__, folder / "model.py")
        (unfinished / "config.pbtxt").write_text(_as_text(configuration), encoding="utf-8")
        place = into / publication.name
        if place.exists():
            shutil.rmtree(place)
        unfinished.replace(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return place


def _as_text(configuration: Any) -> str:
    return str(importlib.import_module("google.protobuf.text_format").MessageToString(configuration))


def _schema() -> Any:
    try:
        return importlib.import_module("tritonclient.grpc.model_config_pb2")
    except ImportError as error:
        raise ConfigError(
            f"Models cannot be published from here: {error}.",
            remedy="Install the extra: pip install 'scanside[remote]'.",
        ) from error


def _configuration(publication: Publication, signature: Signature, serving: Serving) -> Any:
    """Triton's ModelConfig."""
    schema = _schema()
    batches = _has_batch_axis(signature)
    configuration = schema.ModelConfig(
        name=publication.name,
        backend="onnxruntime" if serving.backend == "tensorrt" else serving.backend,
        default_model_filename="model.py" if serving.backend == "python" else GRAPH,
        max_batch_size=serving.max_batch if batches else 0,
        version_policy=schema.ModelVersionPolicy(
            specific=schema.ModelVersionPolicy.Specific(versions=[int(publication.version)])
        ),
        input=[_port(schema, schema.ModelInput, port, batches=batches) for port in signature.inputs],
        output=[_port(schema, schema.ModelOutput, port, batches=batches) for port in signature.outputs],
        instance_group=[
            schema.ModelInstanceGroup(
                count=serving.instances, kind=_kind(schema.ModelInstanceGroup, serving.backend)
            )
        ],
    )
    if batches:
        queue = configuration.dynamic_batching.default_queue_policy
        queue.timeout_action = schema.ModelQueuePolicy.REJECT
        queue.default_timeout_microseconds = DEFAULT_QUEUE_MS * 1000
        queue.max_queue_size = serving.queue
    parameters = dict(publication.parameters)
    if serving.backend == "python":
        parameters[triton_model.THREADS_PARAMETER] = str(serving.threads)
    if serving.backend == "onnxruntime":
        parameters["intra_op_thread_count"] = str(serving.threads)
    if serving.backend == "openvino":
        parameters["INFERENCE_NUM_THREADS"] = str(serving.threads)
    for key, value in sorted(parameters.items()):
        configuration.parameters[key].string_value = value
    if serving.backend == "tensorrt":
        accelerator = configuration.optimization.execution_accelerators.gpu_execution_accelerator.add()
        accelerator.name = "tensorrt"
        accelerator.parameters["precision_mode"] = TENSORRT_PRECISIONS[publication.precision]
    return configuration


def _has_batch_axis(signature: Signature) -> bool:
    """Whether several requests can be one: the first axis is the same named one everywhere."""
    firsts = {port.shape[0] if port.shape else None for port in (*signature.inputs, *signature.outputs)}
    return len(firsts) == 1 and isinstance(next(iter(firsts)), str)


def _port(schema: Any, kind: Any, port: Port, *, batches: bool) -> Any:
    kserve = importlib.import_module("tritonclient.utils").np_to_triton_dtype(port.dtype)
    return kind(
        name=port.name,
        data_type=schema.DataType.Value(f"TYPE_{kserve}"),
        dims=_sizes(port.shape[1:] if batches else port.shape),
    )


def _sizes(shape: Iterable[int | str | None]) -> list[int]:
    return [size if isinstance(size, int) else -1 for size in shape]


def _kind(group: Any, backend: str) -> Any:
    return {
        "tensorrt": group.KIND_GPU,
        "onnxruntime": group.KIND_AUTO,
        "openvino": group.KIND_CPU,
        "python": group.KIND_CPU,
    }[backend]
