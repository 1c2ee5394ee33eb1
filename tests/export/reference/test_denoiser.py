# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The trained network and its graph compute the same, and a longer one begins where a shorter ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

from export.reference.denoiser import Denoiser  # noqa: E402 - only where torch is installed
from export.reference.denoiser_graph import (  # noqa: E402 - likewise
    DEEP_LAYERS,
    read_weights,
    write_denoiser,
)


def noisy(side_px: int = 64) -> np.ndarray:
    return np.random.default_rng(0).normal(40, 60, (1, 1, side_px, side_px)).astype(np.float32)


def trained() -> Denoiser:
    torch.manual_seed(3)
    network = Denoiser()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    return network


def test_the_graph_computes_what_was_trained_and_gives_its_weights_back(tmp_path: Path) -> None:
    network = trained()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    write_denoiser(weights, tmp_path / "model.onnx")
    made = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"slice": noisy()})[0]
    with torch.no_grad():
        wanted = network(torch.from_numpy(noisy())).numpy()
    assert np.abs(wanted - noisy()).mean() > 0.1, "it does something"
    np.testing.assert_allclose(made, wanted, atol=2e-3)
    again = read_weights(tmp_path / "model.onnx")
    assert set(again) == set(weights)
    assert all(np.array_equal(again[name], weights[name]) for name in weights)


def test_a_layer_that_an_earlier_network_did_not_have_begins_as_the_identity() -> None:
    earlier = trained()
    kept = {
        name: value
        for name, value in earlier.state_dict().items()
        if not name.startswith(tuple(f"deep.{number}." for number in range(DEEP_LAYERS - 2, DEEP_LAYERS)))
    }
    later = Denoiser()
    later.take_over(kept)
    earlier.deep = earlier.deep[: DEEP_LAYERS - 2]
    with torch.no_grad():
        first, second = earlier(torch.from_numpy(noisy())), later(torch.from_numpy(noisy()))
    assert torch.allclose(first, second, atol=1e-3)


def test_padding_and_metal_come_back_as_they_were() -> None:
    image = noisy()
    image[..., :5], image[..., 30:33] = -2000.0, 8000.0
    with torch.no_grad():
        made = trained()(torch.from_numpy(image)).numpy()
    outside = (image < -1024) | (image > 3071)
    assert np.array_equal(made[outside], image[outside])
    assert (made[~outside] != image[~outside]).mean() > 0.9
