# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges of activations: what each method makes of data whose answer is known."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from appliance.errors import InputError
from calibration.ranges import (
    ENTROPY,
    METHODS,
    MIN_MAX,
    MSE,
    PERCENTILE,
    ActivationStatistics,
    MethodError,
    collect,
    rank,
)
from export.quantize import activations
from tests.tiny_networks import SIDE_PX, Network, images, residual_classifier


def passing_through() -> onnx.ModelProto:
    net = Network()
    net.add("Identity", ["image"], "same")
    net.add("Relu", ["same"], "out")
    return net.model({"out": ["batch", 1, SIDE_PX, SIDE_PX]})


def statistics(*values: np.ndarray) -> ActivationStatistics:
    given = [{"image": item.reshape(-1, 1, SIDE_PX, SIDE_PX).astype(np.float32)} for item in values]
    return collect(passing_through(), ["same"], given)


def gaussian(count: int, *, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (count, SIDE_PX * SIDE_PX))


def test_min_max_is_the_largest_value_of_all_images() -> None:
    small, large = gaussian(2), gaussian(2, seed=2) * 5
    found = statistics(small, large, small).ranges(MIN_MAX)
    assert found["same"] == pytest.approx(np.abs(large).max(), rel=1e-5)


def test_the_percentile_is_numpys() -> None:
    values = gaussian(200)
    found = statistics(*np.split(values, 10)).ranges(PERCENTILE)
    assert found["same"] == pytest.approx(np.percentile(np.abs(values), 99.99), rel=0.02)


def test_an_outlier_moves_min_max_and_not_the_percentile() -> None:
    values = gaussian(200)
    values[0, 0] = 100.0
    found = statistics(values)
    assert found.ranges(MIN_MAX)["same"] == pytest.approx(100.0)
    assert found.ranges(PERCENTILE)["same"] < 6.0
    assert found.tensors["same"].beyond(6.0) == pytest.approx(1 / values.size, rel=0.5)


def test_the_mse_range_has_the_smallest_rounding_error() -> None:
    values = np.random.default_rng(3).laplace(0, 1, (300, SIDE_PX * SIDE_PX)).astype(np.float32)
    chosen = statistics(values).ranges(MSE)["same"]

    def error(limit: float) -> float:
        step = limit / 127
        return float(np.square(np.clip(np.rint(values / step), -127, 127) * step - values).mean())

    assert error(chosen) <= 1.02 * min(error(limit) for limit in np.linspace(1, np.abs(values).max(), 200))
    assert error(chosen) < error(float(np.abs(values).max()))


def test_entropy_clips_a_long_tail_and_keeps_the_bulk() -> None:
    values = np.maximum(gaussian(60), 0)
    values[0, :4] = 40.0
    found = statistics(values).ranges(ENTROPY)["same"]
    assert 1.5 < found < 36.0


def test_a_tensor_that_is_always_zero_has_no_range() -> None:
    found = statistics(np.zeros((2, SIDE_PX * SIDE_PX)))
    assert all(found.ranges(method) == {} for method in METHODS)


def test_every_method_gives_every_tensor_of_a_network_a_range() -> None:
    model = residual_classifier()
    wanted = activations(model)
    found = collect(model, wanted, images(4))
    for method in METHODS:
        ranges = found.ranges(method)
        assert ranges.keys() == set(wanted)
        assert all(0 < ranges[name] <= found.tensors[name].largest * 1.001 for name in wanted), method
    assert found.images == 4


def test_no_image_is_an_error_in_words() -> None:
    with pytest.raises(InputError, match="holds no image"):
        collect(passing_through(), ["same"], [])


def test_an_image_that_overflows_is_named() -> None:
    bad = gaussian(1)
    bad[0, 0] = np.inf
    with pytest.raises(InputError, match="Image 2 of"):
        statistics(gaussian(1), bad)


def test_methods_are_ranked_by_their_worst_output() -> None:
    table = [
        MethodError(method="a", relative_error={"x": 0.01, "y": 0.5}, clipped=0.0),
        MethodError(method="b", relative_error={"x": 0.2, "y": 0.2}, clipped=0.0),
    ]
    assert [row.method for row in rank(table)] == ["b", "a"]
