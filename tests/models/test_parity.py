# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What counts as the same answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.engines.catalogue import load_engine
from appliance.errors import EngineError
from appliance.models.bundle import read_bundle
from appliance.models.parity import ask_known, compare, first_of_batch
from appliance.models.registry import Registry
from tests.tiny_bundles import trusted

MakeBundle = Callable[..., Path]


@pytest.mark.parametrize(
    ("golden", "off", "same"),
    [(0.0, 0.0009, True), (0.0, 0.0011, False), (1000.0, 0.1, True), (1000.0, 0.11, False)],
)
def test_the_tolerance_grows_with_the_values(golden: float, off: float, same: bool) -> None:
    wanted = np.array([golden, 0.0])
    parity = compare({"x": wanted + off}, {"x": wanted})
    assert (parity.reason is None) is same
    assert parity.difference == pytest.approx(off, rel=1e-2)


def test_the_worst_output_is_named() -> None:
    zeros = np.zeros(3)
    parity = compare({"a": zeros + 0.002, "b": zeros + 0.003}, {"a": zeros, "b": zeros})
    assert parity.output == "b"
    assert "'b' is off by 0.003" in (parity.reason or "")


def test_what_is_no_answer_is_no_match() -> None:
    for outputs in ({}, {"x": np.zeros(2)}, {"x": np.array([0.0, np.nan, 0.0])}):
        with pytest.raises(EngineError):
            compare(outputs, {"x": np.zeros(3)})


def test_one_image_of_the_golden_batch_is_asked(good_bundle: Path) -> None:
    bundle = read_bundle(good_bundle, trust=trusted())
    three = {name: np.repeat(value, 3, axis=0) for name, value in bundle.golden_inputs.items()}
    inputs, outputs = first_of_batch(replace(bundle, golden_inputs=three))
    assert inputs["slice"].shape == outputs["denoised"].shape == (1, 1, 16, 16)
    fixed = tuple(replace(spec, shape=(1, *spec.shape[1:])) for spec in bundle.card.inputs)
    whole, _ = first_of_batch(replace(bundle, golden_inputs=three, card=replace(bundle.card, inputs=fixed)))
    assert whole["slice"].shape == (3, 1, 16, 16)


def test_a_known_question_finds_an_engine_that_went_wrong(good_bundle: Path) -> None:
    bundle = read_bundle(good_bundle, trust=trusted())
    with load_engine("ort", bundle.model, threads=1) as engine:
        ask_known(engine, bundle)
    with (
        load_engine("null", bundle.model, threads=1) as engine,
        pytest.raises(EngineError, match="wrong answer to a known question: its 'denoised' is off by"),
    ):
        ask_known(engine, bundle)


def test_the_registry_asks_what_it_serves(make_bundle: MakeBundle, tmp_path: Path) -> None:
    make_bundle(tmp_path / "models" / "ct")
    with Registry(
        (tmp_path / "models",), engines=("ort",), threads=1, cache=tmp_path / "cache", trust=trusted()
    ) as registry:
        registry.ask_known("ct_denoise")
        registry.served("ct_denoise").engine.close()
        with pytest.raises(EngineError, match="closed"):
            registry.ask_known("ct_denoise")
        with pytest.raises(EngineError, match="ort: The engine ort f32 CPU is closed"):
            registry.served("ct_denoise")
