# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The shared server as an engine: what leaves the device, and that no answer is taken on trust."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from appliance.engines.base import Engine
from appliance.engines.catalogue import load_engine
from appliance.engines.kserve import InferenceServer, publication_of
from appliance.errors import EngineError
from tests.kserve_server import SmallServer, serving
from tests.tiny_bundles import build, write_sums
from tests.triton_server import at

Spoil = Callable[[SmallServer], None]


def picture(*shape: int) -> dict[str, np.ndarray[Any, Any]]:
    return {"slice": np.random.default_rng(3).normal(0, 400, shape).astype(np.float32)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graph of a bundle that halves every value."""
    return build(tmp_path_factory.mktemp("bundles") / "ct") / "model.onnx"


@pytest.fixture
def served(model: Path) -> Iterator[tuple[SmallServer, InferenceServer]]:
    with serving(model) as (service, address):
        yield service, at(address)


def load(model: Path, server: InferenceServer) -> Engine:
    return load_engine("remote", model, threads=1, server=server)


def test_it_answers_and_says_where_it_computes(
    model: Path, served: tuple[SmallServer, InferenceServer]
) -> None:
    _, server = served
    with load(model, server) as engine:
        for shape in ((1, 1, 16, 24), (3, 1, 8, 8)):
            inputs = picture(*shape)
            outputs = engine.infer(inputs)
            np.testing.assert_array_equal(outputs["denoised"], inputs["slice"] / 2)
            outputs["denoised"][:] = 0  # the caller's own
        assert engine.describe().words == f"remote f32 {server.address}"
        assert engine.describe().version == "small 1"
        with pytest.raises(EngineError, match="does not fit"):
            engine.infer({"slice": np.zeros((1, 2, 4, 4), np.float32)})
    with pytest.raises(EngineError, match="closed"):
        engine.infer(picture(1, 1, 8, 8))


def test_only_the_pixels_and_the_name_of_the_model_leave_the_device(
    model: Path, served: tuple[SmallServer, InferenceServer]
) -> None:
    service, server = served
    inputs = picture(1, 1, 8, 8)
    with load(model, server) as engine:
        engine.infer(inputs)
    (request,) = service.seen
    assert {field.name for field, _ in request.ListFields()} == {
        "model_name",
        "model_version",
        "inputs",
        "outputs",
        "raw_input_contents",
    }
    assert request.raw_input_contents == [inputs["slice"].tobytes()]
    for tensor in (*request.inputs, *request.outputs):
        assert {field.name for field, _ in tensor.ListFields()} <= {"name", "datatype", "shape"}


def test_a_batch_that_is_too_large_for_the_server_goes_in_parts(
    model: Path, served: tuple[SmallServer, InferenceServer]
) -> None:
    service, server = served
    service.max_batch = 3
    inputs = picture(8, 1, 4, 4)
    with load(model, server) as engine:
        np.testing.assert_array_equal(engine.infer(inputs)["denoised"], inputs["slice"] / 2)
    assert [next(iter(request.inputs[0].shape)) for request in service.seen] == [3, 3, 2]


def no_longer_ready(service: SmallServer) -> None:
    service.ready = False


def other_sums(service: SmallServer) -> None:
    service.parameters["scanside_sums_sha256"] = "0" * 64


def other_graph(service: SmallServer) -> None:
    service.parameters["scanside_model_sha256"] = "0" * 64


def no_sums(service: SmallServer) -> None:
    service.parameters.clear()


def no_configuration(service: SmallServer) -> None:
    service.has_configuration = False


def other_shape(service: SmallServer) -> None:
    service.tell_shape = lambda shape: [*shape[:-1], 512]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_longer_ready, "has no model ct_denoise-fp32-[0-9a-f]{16} version 1 ready"),
        (other_sums, "serves another model .* scanside_sums_sha256 is '0000"),
        (other_graph, "serves another model .* scanside_model_sha256 is '0000"),
        (no_sums, "serves another model .* is None"),
        (no_configuration, "cannot say which bundle"),
        (other_shape, r"serves another model .* 512\]"),
    ],
)
def test_a_server_with_another_model_is_refused(
    model: Path, served: tuple[SmallServer, InferenceServer], spoil: Spoil, words: str
) -> None:
    service, server = served
    spoil(service)
    with pytest.raises(EngineError, match=words):
        load(model, server)
    assert service.seen == [], "not one pixel has left the device"


def test_a_server_without_configurations_serves_only_where_a_person_said_so(
    model: Path, served: tuple[SmallServer, InferenceServer]
) -> None:
    service, server = served
    service.has_configuration = False
    with load(model, at(server.address, require_sums=False)) as engine:
        np.testing.assert_array_equal(
            engine.infer({"slice": np.ones((1, 1, 4, 4), np.float32)})["denoised"], 0.5
        )


def test_another_bundle_is_another_name(model: Path, tmp_path: Path) -> None:
    """So a server that has only the old release cannot answer for the new one."""
    other = build(tmp_path / "ct", release=2)
    first, second = publication_of(model), publication_of(other / "model.onnx")
    assert first.name != second.name
    assert (first.version, second.version) == ("1", "2")
    (other / "notes.txt").write_text("changed", encoding="utf-8")
    write_sums(other)
    assert publication_of(other / "model.onnx").name != second.name, "the same graph, another bundle"
    (other / "card.toml").unlink()
    with pytest.raises(EngineError, match="is not in a model bundle"):
        publication_of(other / "model.onnx")


def cut(service: SmallServer) -> None:
    service.cut_bytes = 4


def misshapen(service: SmallServer) -> None:
    service.spoil = lambda outputs: {name: value[..., :-1].copy() for name, value in outputs.items()}


def renamed(service: SmallServer) -> None:
    service.spoil = lambda outputs: {"denoised2": outputs["denoised"]}


def doubled(service: SmallServer) -> None:
    service.spoil = lambda outputs: {name: value.astype(np.float64) for name, value in outputs.items()}


def full(service: SmallServer) -> None:
    service.refuse = grpc.StatusCode.UNAVAILABLE


def broken(service: SmallServer) -> None:
    service.refuse = grpc.StatusCode.INTERNAL


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, "whose bytes do not fit its shape"),
        (misshapen, "does not fit float32"),
        (renamed, "outputs are"),
        (doubled, "does not fit float64"),
        (full, "takes no more work: Exceeds maximum queue size"),
        (broken, r"refused \(INTERNAL\)"),
    ],
)
def test_a_wrong_answer_is_withheld_and_the_engine_lives_on(
    model: Path, served: tuple[SmallServer, InferenceServer], spoil: Spoil, words: str
) -> None:
    service, server = served
    with load(model, server) as engine:
        spoil(service)
        with pytest.raises(EngineError, match=words):
            engine.infer(picture(1, 1, 8, 8))
        service.__dict__.update(cut_bytes=0, spoil=dict, refuse=None)
        assert engine.infer(picture(1, 1, 8, 8))["denoised"].shape == (1, 1, 8, 8)


def test_an_answer_that_does_not_come_is_not_waited_for(
    model: Path, served: tuple[SmallServer, InferenceServer]
) -> None:
    service, server = served
    over = threading.Event()
    with load(model, at(server.address, deadline_ms=150.0)) as engine:
        service.wait = lambda: over.wait(20)
        try:
            with pytest.raises(EngineError, match="gave no answer within 150 ms"):
                engine.infer(picture(1, 1, 8, 8))
        finally:
            over.set()


def test_a_door_that_nobody_opens(model: Path) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        address = f"127.0.0.1:{door.getsockname()[1]}"
        with pytest.raises(EngineError, match="cannot be reached"):
            load(model, at(address, connect_deadline_ms=2000.0))


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 64, b""],
    ids=["a web server", "binary", "silence"],
)
def test_a_door_that_speaks_something_else(model: Path, garbage: bytes) -> None:
    """A web server, a DICOM port, a port that takes the connection and says nothing."""
    over = threading.Event()

    def talk(door: socket.socket) -> None:
        door.settimeout(0.05)
        callers = []
        while not over.is_set():
            try:
                caller, _ = door.accept()
            except TimeoutError:
                continue
            callers.append(caller)
            if garbage:
                caller.sendall(garbage)
        for caller in callers:
            caller.close()

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=talk, args=(door,))
        thread.start()
        try:
            with pytest.raises(EngineError, match=r"cannot be reached|gave no answer within 500 ms"):
                load(model, at(f"127.0.0.1:{door.getsockname()[1]}", connect_deadline_ms=500.0))
        finally:
            over.set()
            thread.join()


def test_without_a_server_in_the_settings_nobody_is_called(model: Path) -> None:
    with pytest.raises(EngineError, match="No inference server is named"):
        load_engine("remote", model, threads=1)


def test_a_certificate_that_is_not_there_is_said(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"gone\.pem cannot be read") as error:
        load(model, at("127.0.0.1:9", tls=True, ca_file=str(tmp_path / "gone.pem")))
    assert "remote.ca_file" in error.value.remedy
