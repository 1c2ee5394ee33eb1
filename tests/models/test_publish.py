# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The repository of a shared server: what is in it, and that Triton's own schema reads it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup, ModelQueuePolicy

from appliance.engines.graph import Port, Signature
from appliance.engines.kserve import publication_of
from appliance.errors import ConfigError, ModelBundleError
from appliance.models import publish as publishing
from appliance.models import triton_model
from appliance.models.bundle import Bundle
from appliance.models.publish import BACKENDS, Serving, publish
from appliance.models.registry import shipped_models
from tests.tiny_bundles import build, read_signed, write_sums

SERVING = Serving(backend="onnxruntime", instances=2, max_batch=6, queue=9, threads=3)
SHIPPED = tuple(sorted(card.parent for card in shipped_models().glob("*/card.toml")))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return read_signed(build(tmp_path / "ct", release=3))


def configuration_of(place: Path) -> Any:
    """Read by the schema: an unknown field or value would be an error."""
    return text_format.Parse((place / "config.pbtxt").read_text(encoding="utf-8"), ModelConfig())


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_repository_is_what_the_server_wants(bundle: Bundle, tmp_path: Path, backend: str) -> None:
    place = publish(bundle, "fp32", replace(SERVING, backend=backend), into=tmp_path / "repository")
    assert place == tmp_path / "repository" / f"ct_denoise-fp32-{bundle.sums_sha256[:16]}"
    assert [entry.name for entry in place.parent.iterdir()] == [place.name], "nothing unfinished is left"
    assert (place / "3" / "model.onnx").read_bytes() == bundle.model.read_bytes()
    assert (place / "3" / "model.py").is_file() == (backend == "python")
    found = configuration_of(place)
    assert found.name == place.name
    assert found.backend == ("onnxruntime" if backend == "tensorrt" else backend)
    assert list(found.version_policy.specific.versions) == [3]
    assert found.max_batch_size == 6
    assert [(port.name, list(port.dims)) for port in found.input] == [("slice", [1, -1, -1])]
    assert [(port.name, list(port.dims)) for port in found.output] == [("denoised", [1, -1, -1])]
    assert [group.count for group in found.instance_group] == [2]
    on_gpu = found.instance_group[0].kind == ModelInstanceGroup.KIND_GPU
    assert on_gpu == (backend == "tensorrt")
    queue = found.dynamic_batching.default_queue_policy
    assert queue.max_queue_size == 9
    assert queue.timeout_action == ModelQueuePolicy.REJECT
    parameters = {key: value.string_value for key, value in found.parameters.items()}
    assert parameters["scanside_sums_sha256"] == bundle.sums_sha256
    assert parameters["scanside_model_sha256"] == hashlib.sha256(bundle.model.read_bytes()).hexdigest()
    assert parameters["scanside_release"] == "3"
    assert parameters["scanside_precision"] == "fp32"
    accelerators = found.optimization.execution_accelerators.gpu_execution_accelerator
    assert [accelerator.name for accelerator in accelerators] == (
        ["tensorrt"] if backend == "tensorrt" else []
    )


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_every_shipped_model_can_be_published(folder: Path, tmp_path: Path) -> None:
    bundle = read_signed(folder)
    for precision in bundle.model_sha256:
        found = configuration_of(publish(bundle, precision, SERVING, into=tmp_path))
        assert found.max_batch_size == 6
        assert {port.name for port in found.output} == set(bundle.golden_outputs)


def test_the_model_of_the_python_backend_reads_what_is_published(bundle: Bundle, tmp_path: Path) -> None:
    """It stands alone in the server, so it cannot import the names of its parameters."""
    place = publish(bundle, "fp32", replace(SERVING, backend="python"), into=tmp_path)
    parameters = {key: value.string_value for key, value in configuration_of(place).parameters.items()}
    assert parameters[triton_model.MODEL_PARAMETER] == bundle.model_sha256["fp32"]
    assert parameters[triton_model.PRECISION_PARAMETER] == "fp32"
    assert parameters[triton_model.THREADS_PARAMETER] == "3"
    assert "appliance" not in (place / "3" / "model.py").read_text(encoding="utf-8").replace("# ", "")


def test_publishing_again_replaces(bundle: Bundle, tmp_path: Path) -> None:
    first = publish(bundle, "fp32", replace(SERVING, backend="python"), into=tmp_path)
    assert publish(bundle, "fp32", SERVING, into=tmp_path) == first
    assert not (first / "3" / "model.py").exists()


def test_two_releases_stand_side_by_side(tmp_path: Path) -> None:
    for release in (1, 2):
        bundle = read_signed(build(tmp_path / str(release), release=release))
        publish(bundle, "fp32", SERVING, into=tmp_path / "repository")
    assert len(list((tmp_path / "repository").iterdir())) == 2


def test_what_changed_since_it_was_verified_is_not_published(bundle: Bundle, tmp_path: Path) -> None:
    bundle.model.write_bytes(bundle.model.read_bytes().replace(b"halve", b"HALVE"))
    write_sums(bundle.folder)
    with pytest.raises(ModelBundleError, match="has changed since it was verified"):
        publish(bundle, "fp32", SERVING, into=tmp_path / "repository")
    assert list((tmp_path / "repository").iterdir()) == []


def test_an_unknown_backend_is_said(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no backend 'tensorflow'"):
        publish(bundle, "fp32", replace(SERVING, backend="tensorflow"), into=tmp_path / "repository")


def port(name: str, *shape: int | str | None) -> Port:
    return Port(name=name, shape=shape, dtype=np.dtype(np.float32))


@pytest.mark.parametrize(
    ("first", "second", "batches"),
    [
        (("n", 1, 8), ("n", 2), True),
        ((1, 1, 8), (1, 2), False),
        (("n", 1, 8), (1, 2), False),
        (("n", 1, 8), ("m", 2), False),
        ((None, 1, 8), (None, 2), False),
        (("n", 1, 8), (), False),
    ],
)
def test_requests_are_put_together_only_along_an_axis_that_all_share(
    bundle: Bundle, first: tuple[int | str | None, ...], second: tuple[int | str | None, ...], batches: bool
) -> None:
    signature = Signature(inputs=(port("a", *first),), outputs=(port("b", *second),), precision="f32")
    made = publishing._configuration(publication_of(bundle.model), signature, SERVING)
    assert made.max_batch_size == (6 if batches else 0)
    assert made.HasField("dynamic_batching") == batches
    assert len(made.input[0].dims) == len(first) - batches
