# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Folded weights are the convolution with its batch normalisation; a float16 weight computes in float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from export.reference.efficientnet_lite import EPSILON, folded
from export.reference.onnx_graph import BATCH, Graph
from export.reference.reference_engine import session


def test_a_folded_layer_is_the_convolution_and_its_normalisation() -> None:
    torch.manual_seed(1)
    convolution = torch.nn.Conv2d(3, 4, 3, bias=False)
    normalisation = torch.nn.BatchNorm2d(4, eps=EPSILON).eval()
    for name, low in (("running_mean", -1.0), ("running_var", 0.2), ("weight", 0.5), ("bias", -1.0)):
        getattr(normalisation, name).data.uniform_(low, low + 2.0)
    stored = {f"conv.{name}": value.numpy() for name, value in convolution.state_dict().items()}
    stored |= {f"bn.{name}": value.numpy() for name, value in normalisation.state_dict().items()}
    weight, bias = folded(stored, "conv", "bn")
    given = torch.randn(2, 3, 6, 6)
    with torch.no_grad():
        wanted = normalisation(convolution(given))
        found = torch.nn.functional.conv2d(given, torch.tensor(weight), torch.tensor(bias))
    assert torch.allclose(found, wanted, atol=1e-5)


def test_half_weights_are_stored_and_floats_computed(tmp_path: Path) -> None:
    weight = np.random.default_rng(1).normal(size=(2, 1, 3, 3)).astype(np.float16)
    found = []
    for kind in (np.float16, np.float32):
        graph = Graph("one")
        image = graph.input("image", [BATCH, 1, 8, 8])
        graph.output(graph.conv(image, "conv", weight.astype(kind), None), "out", [BATCH, 2, 6, 6])
        graph.save(tmp_path / "one.onnx", description="one layer")
        given = np.random.default_rng(2).normal(size=(1, 1, 8, 8)).astype(np.float32)
        found.append(session(tmp_path / "one.onnx").run(None, {"image": given})[0])
    assert np.array_equal(*found)
