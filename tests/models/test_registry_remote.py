# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A shared server goes away and comes back: the device answers meanwhile, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.clock import ManualClock
from appliance.errors import EngineError
from appliance.models.publish import Serving, publish
from appliance.models.registry import Registry
from appliance.models.retry import Retry
from appliance.models.surroundings import Surroundings
from tests.kserve_server import serving
from tests.tiny_bundles import build, read_signed, trusted
from tests.triton_server import RunningTriton, at, skip_without_triton

SERVING = Serving(backend="python", instances=1, max_batch=4, queue=16, threads=1)
FIRST_S = 5.0


def registry_at(address: str, folder: Path, clock: ManualClock, *engines: str) -> Registry:
    return Registry(
        (folder / "models",),
        engines=engines or ("remote", "ort"),
        threads=1,
        cache=folder / "cache",
        trust=trusted(),
        surroundings=Surroundings(
            server=at(address), retry=Retry(clock, engines=("remote",), first_s=FIRST_S, longest_s=60.0)
        ),
    )


def answer(registry: Registry) -> tuple[float, str, str | None]:
    """As the line asks: an engine that fails is given up, and the next try has another."""
    for _ in range(2):
        served = registry.served("ct_denoise")
        try:
            outputs = served.engine.infer({"slice": np.full((1, 1, 4, 4), 8, np.float32)})
        except EngineError as error:
            registry.give_up("ct_denoise", error.what, engine=served.engine)
            continue
        return float(outputs["denoised"].mean()), served.engine.describe().engine, served.fallback_reason
    raise AssertionError("two engines failed")


@pytest.fixture
def triton(tmp_path: Path) -> Iterator[RunningTriton]:
    skip_without_triton()
    bundle = read_signed(build(tmp_path / "models" / "ct"))
    publish(bundle, "fp32", SERVING, into=tmp_path / "repository")
    with RunningTriton(tmp_path / "repository", tmp_path / "log") as server:
        server.wait()
        yield server


def test_a_killed_server_is_stood_in_for_and_serves_again_when_it_is_back(
    triton: RunningTriton, tmp_path: Path
) -> None:
    clock = ManualClock()
    with registry_at(triton.address, tmp_path, clock) as registry:
        assert answer(registry) == (4.0, "remote", None)
        triton.kill()
        value, engine, reason = answer(registry)
        assert (value, engine) == (4.0, "ort"), "nothing is lost"
        assert reason is not None
        assert reason.startswith(f"remote: The inference server {triton.address} cannot be reached")
        clock.advance(FIRST_S + 1)
        assert answer(registry)[1] == "ort", "asked again, and still away"
        triton.start_again()
        assert answer(registry)[1] == "ort", "not before its time"
        clock.advance(2 * FIRST_S + 1)
        assert answer(registry) == (4.0, "remote", None)
        triton.kill()
        assert answer(registry)[:2] == (4.0, "ort"), "the stand-in is still there"


def test_a_server_that_is_away_at_the_start_serves_when_it_comes(tmp_path: Path) -> None:
    bundle = build(tmp_path / "models" / "ct")
    clock = ManualClock()
    with serving(bundle / "model.onnx") as (service, address):
        service.ready = False
        with registry_at(address, tmp_path, clock, "remote") as registry:
            with pytest.raises(EngineError, match="has no model"):
                registry.served("ct_denoise")
            service.ready = True
            with pytest.raises(EngineError, match="has no model"):
                registry.served("ct_denoise")
            clock.advance(FIRST_S)
            assert answer(registry) == (4.0, "remote", None)


def test_the_engine_that_did_not_fail_stays(tmp_path: Path) -> None:
    """An urgent image in the middle of a series meets the failure first; the series meets it afterwards."""
    bundle = build(tmp_path / "models" / "ct")
    with (
        serving(bundle / "model.onnx") as (_, address),
        registry_at(address, tmp_path, ManualClock()) as registry,
    ):
        of_the_series = registry.served("ct_denoise").engine
        registry.give_up("ct_denoise", "no answer", engine=of_the_series)
        stand_in = registry.served("ct_denoise")
        registry.give_up("ct_denoise", "closed", engine=of_the_series)
        assert registry.served("ct_denoise") is stand_in
        assert stand_in.fallback_reason == "remote: no answer"
        assert stand_in.engine.describe().engine == "ort"


def test_a_passport_holds_for_one_server_only(tmp_path: Path) -> None:
    bundle = build(tmp_path / "models" / "ct")
    with serving(bundle / "model.onnx") as (_, first), serving(bundle / "model.onnx") as (_, second):
        for address in (first, second):
            with registry_at(address, tmp_path, ManualClock()) as registry:
                assert registry.served("ct_denoise").passport.words == f"remote f32 {address}"


def test_without_a_policy_nothing_is_tried_again(tmp_path: Path) -> None:
    bundle = build(tmp_path / "models" / "ct")
    with (
        serving(bundle / "model.onnx") as (_, address),
        Registry(
            (tmp_path / "models",),
            engines=("remote", "ort"),
            threads=1,
            cache=tmp_path / "cache",
            trust=trusted(),
            surroundings=Surroundings(server=at(address)),
        ) as registry,
    ):
        registry.give_up("ct_denoise", "nothing serves yet")
        assert answer(registry)[1] == "remote"
        registry.give_up("ct_denoise", "no answer")
        assert answer(registry)[1] == "ort"
