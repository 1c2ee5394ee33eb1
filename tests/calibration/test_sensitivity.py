# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The layer that int8 hurts is found, and left in float only as far as the gate asks for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import pytest

from appliance.errors import InputError
from calibration.ranges import MIN_MAX, Ranges, collect
from calibration.sensitivity import sensitivities, steps, until_the_gate_passes
from export.quantize import activations
from export.session import relative_error, run_all
from tests.tiny_networks import CHANNELS, Network, images


@dataclass(frozen=True)
class Verdict:
    passed: bool
    reasons: tuple[str, ...] = ()


def fragile() -> onnx.ModelProto:
    """Its third layer gets a channel a thousand times larger than the others, and does not use it."""
    net = Network()
    net.conv("image", "one", inside=1, outside=CHANNELS)
    net.add("Relu", ["one"], "one/relu")
    net.conv("one/relu", "two", inside=CHANNELS, outside=CHANNELS)
    net.add("Relu", ["two"], "two/relu")
    net.conv("two/relu", "three", inside=CHANNELS, outside=CHANNELS)
    net.add("Relu", ["three"], "three/relu")
    net.conv("three/relu", "four", inside=CHANNELS, outside=2)
    net.stored["two/bias"][0] = 1000.0
    net.stored["three/weight"][:, 0] = 0.0
    return net.model({"four": ["batch", 2, 16, 16]})


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return fragile()


@pytest.fixture(scope="module")
def ranges(model: onnx.ModelProto) -> Ranges:
    return collect(model, activations(model), images(6)).ranges(MIN_MAX)


def test_the_fragile_layer_comes_first(model: onnx.ModelProto, ranges: Ranges) -> None:
    heard: list[tuple[int, int]] = []
    found = sensitivities(model, ranges, images(3, seed=2), on_layer=lambda *progress: heard.append(progress))
    assert found[0].layer == "three"
    assert found[0].worst > 10 * found[1].worst
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_search_stops_at_the_first_candidate_that_passes(model: onnx.ModelProto, ranges: Ranges) -> None:
    given = images(3, seed=2)
    wanted = run_all(model, given)

    def gate(candidate: onnx.ModelProto) -> Verdict:
        error = relative_error(run_all(candidate, given), wanted)["four"]
        return Verdict(error < 0.05, () if error < 0.05 else (f"off by {error:.2f}",))

    found = until_the_gate_passes(model, ranges, sensitivities(model, ranges, given), gate)
    assert found.left_in_float == ("three",)
    assert [attempt.passed for attempt in found.attempts] == [False, True]
    assert found.attempts[0].reasons[0].startswith("off by")
    assert found.quantised.layers == ("one", "two", "four")


def test_layers_kept_in_float_from_the_start_are_not_tried_again(
    model: onnx.ModelProto, ranges: Ranges
) -> None:
    order = sensitivities(model, ranges, images(2))
    found = until_the_gate_passes(model, ranges, order, lambda _: Verdict(passed=True), keep_float=("three",))
    assert found.left_in_float == ("three",)
    assert "three" not in found.quantised.layers


def test_a_gate_that_never_passes_ends_the_search_in_words(model: onnx.ModelProto, ranges: Ranges) -> None:
    tried: list[int] = []

    def gate(candidate: onnx.ModelProto) -> Verdict:
        tried.append(len(candidate.graph.node))
        return Verdict(passed=False, reasons=("AUC fell by 0.2",))

    with pytest.raises(InputError, match=r"2 of 4 layers in float: AUC fell by 0.2"):
        until_the_gate_passes(model, ranges, sensitivities(model, ranges, images(2)), gate)
    assert len(tried) == 3


def test_the_search_is_bounded() -> None:
    assert list(steps(4)) == [0, 1, 2]
    assert list(steps(54)) == [0, 1, 2, 3, 5, 8, 13, 21]
    assert list(steps(1)) == [0]
    assert np.all(np.diff(list(steps(1000))) > 0)
