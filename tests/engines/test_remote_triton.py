# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The engine `remote` and the published repository against a real Triton server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.engines.catalogue import load_engine
from appliance.engines.kserve import SUMS_PARAMETER, InferenceServer
from appliance.errors import EngineError
from appliance.models.bundle import Bundle, read_bundle
from appliance.models.parity import compare
from appliance.models.publish import Serving, publish
from appliance.models.registry import shipped_models
from tests.certificates import Authority
from tests.tiny_bundles import build, trusted
from tests.triton_server import RunningTriton, at, skip_without_triton

SERVING = Serving(backend="python", instances=1, max_batch=4, queue=16, threads=1)
SHIPPED = tuple(sorted(card.parent.name for card in shipped_models().glob("*/card.toml")))
APPLIANCES = 3
IMAGES = 8


def bundle_of(name: str) -> Bundle:
    return read_bundle(shipped_models() / name, trust=trusted())


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that the server claims to be another one."""
    return build(tmp_path_factory.mktemp("liar") / "ct", task="liar")


@pytest.fixture(scope="module")
def swapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose graph on the server is another one."""
    return build(tmp_path_factory.mktemp("swapped") / "ct", task="swapped")


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory, liar: Path, swapped: Path) -> Iterator[RunningTriton]:
    """Every shipped bundle, and two that somebody has meddled with."""
    skip_without_triton()
    folder = tmp_path_factory.mktemp("triton")
    for name in SHIPPED:
        publish(bundle_of(name), "fp32", SERVING, into=folder / "repository")
    place = publish(read_bundle(liar, trust=trusted()), "fp32", SERVING, into=folder / "repository")
    sums = read_bundle(liar, trust=trusted()).sums_sha256
    text = (place / "config.pbtxt").read_text(encoding="utf-8")
    (place / "config.pbtxt").write_text(text.replace(f'"{sums}"', f'"{"0" * 64}"'), encoding="utf-8")
    place = publish(read_bundle(swapped, trust=trusted()), "fp32", SERVING, into=folder / "repository")
    (place / "1" / "model.onnx").write_bytes((liar / "model.onnx").read_bytes() + b"\n")
    with RunningTriton(folder / "repository", folder / "log", exit_on_error="false") as server:
        server.wait()
        yield server


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_answers_as_it_does_here(triton: RunningTriton, name: str) -> None:
    bundle = bundle_of(name)
    with (
        load_engine("remote", bundle.model, threads=1, server=at(triton.address)) as remote,
        load_engine("ort", bundle.model, threads=1) as local,
    ):
        there = remote.infer(bundle.golden_inputs)
        here = local.infer(bundle.golden_inputs)
        assert compare(there, bundle.golden_outputs).reason is None
        assert compare(there, here).reason is None
        assert remote.describe().words == f"remote f32 {triton.address}"
        assert remote.describe().version.startswith("triton 2.")


def test_several_appliances_at_once_get_each_their_own_answers(triton: RunningTriton) -> None:
    """More at once than the server takes in one batch, of different sizes, each from its own connection."""
    bundle = bundle_of("radiograph_view")
    rng = np.random.default_rng(11)
    pictures = [
        [rng.random((1 + (who + i) % 6, 1, 128, 128), dtype=np.float32) for i in range(IMAGES)]
        for who in range(APPLIANCES)
    ]
    problems: list[str] = []
    together = threading.Barrier(APPLIANCES)

    def appliance(who: int) -> None:
        with (
            load_engine("remote", bundle.model, threads=1, server=at(triton.address)) as remote,
            load_engine("ort", bundle.model, threads=1) as local,
        ):
            together.wait(30)
            for picture in pictures[who]:
                reason = compare(remote.infer({"image": picture}), local.infer({"image": picture})).reason
                problems.extend([reason] if reason else [])
        done.append(who)

    done: list[int] = []
    threads = [threading.Thread(target=appliance, args=(who,)) for who in range(APPLIANCES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(done) == list(range(APPLIANCES))


def test_a_server_that_is_too_slow_is_not_waited_for(triton: RunningTriton) -> None:
    bundle = bundle_of("chest_triage")
    server = at(triton.address, deadline_ms=2.0)
    with (
        load_engine("remote", bundle.model, threads=1, server=server) as remote,
        pytest.raises(EngineError, match="gave no answer within 2 ms"),
    ):
        remote.infer(bundle.golden_inputs)


def test_another_bundle_under_the_right_name_is_refused(triton: RunningTriton, liar: Path) -> None:
    with pytest.raises(EngineError, match=f"serves another model .* {SUMS_PARAMETER} is '0000"):
        load_engine("remote", liar / "model.onnx", threads=1, server=at(triton.address))


def test_the_server_itself_refuses_another_graph(triton: RunningTriton, swapped: Path) -> None:
    with pytest.raises(EngineError, match=r"has no model swapped-fp32-[0-9a-f]{16} version 1 ready"):
        load_engine("remote", swapped / "model.onnx", threads=1, server=at(triton.address))
    assert "is not the graph of the configuration" in triton.log.read_text(encoding="utf-8")


def test_with_certificates_both_sides_know_each_other(tmp_path: Path) -> None:
    skip_without_triton()
    model = build(tmp_path / "ct") / "model.onnx"
    publish(read_bundle(model.parent, trust=trusted()), "fp32", SERVING, into=tmp_path / "repository")
    hospital, stranger = Authority(tmp_path, "hospital"), Authority(tmp_path, "stranger")
    server_certificate, server_key = hospital.certify("server")
    certificate, key = hospital.certify("appliance")
    options = {
        "grpc_use_ssl_mutual": "true",
        "grpc_server_cert": server_certificate,
        "grpc_server_key": server_key,
        "grpc_root_cert": str(hospital.file),
    }
    with RunningTriton(tmp_path / "repository", tmp_path / "log", **options) as triton:

        def known(**changes: object) -> InferenceServer:
            files = {"ca_file": str(hospital.file), "certificate_file": certificate, "key_file": key}
            return at(triton.address, **({"tls": True, **files} | changes))

        triton.wait(known(connect_deadline_ms=500.0))
        with load_engine("remote", model, threads=1, server=known()) as remote:
            values = np.full((1, 1, 4, 4), 8, np.float32)
            np.testing.assert_array_equal(remote.infer({"slice": values})["denoised"], 4)
        for wrong in (
            known(ca_file=str(stranger.file)),  # the server is not whom we trust
            known(certificate_file=None, key_file=None),  # the server does not know us
            at(triton.address),  # in the clear
        ):
            with pytest.raises(EngineError, match="cannot be reached"):
                load_engine("remote", model, threads=1, server=wrong)
