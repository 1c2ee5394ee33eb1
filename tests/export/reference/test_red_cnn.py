# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""RED-CNN as it is trained and as it is written compute the same, and the training ends in a graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

from export.reference.ct_slices import Slice, SliceSet  # noqa: E402 - only where torch is installed
from export.reference.denoiser_graph import read_weights  # noqa: E402 - likewise
from export.reference.denoiser_patches import Mixture  # noqa: E402 - likewise
from export.reference.denoiser_training import Phase  # noqa: E402 - likewise
from export.reference.red_cnn import RedCnn, train_red_cnn  # noqa: E402 - likewise
from export.reference.red_cnn_graph import write_red_cnn  # noqa: E402 - likewise

CHANNELS = 3


def test_the_graph_computes_what_is_trained(tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = RedCnn(CHANNELS)
    slice_hu = np.random.default_rng(0).normal(40, 60, (1, 1, 40, 52)).astype(np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(slice_hu)).numpy()
    write_red_cnn(
        {name: value.numpy() for name, value in network.state_dict().items()}, tmp_path / "model.onnx"
    )
    made = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"slice": slice_hu})[0]
    assert np.abs(wanted - slice_hu).mean() > 1, "it does something"
    np.testing.assert_allclose(made, wanted, atol=0.05)


def test_a_training_ends_in_a_graph_with_other_weights_than_it_began_with(tmp_path: Path) -> None:
    body = np.full((1, 160, 160), 40, np.int16)
    data = SliceSet(
        slices=(
            Slice(
                file="0.dcm",
                patient="taught",
                spacing_mm=1.0,
                own_noise_hu=10.0,
                held_out=False,
                blurs_px=(0.5,),
            ),
        ),
        hu=body,
        noise=np.random.default_rng(1).standard_normal((1, 1, 160, 160)).astype(np.float16),
    )
    mixture = Mixture(doses=None, whole_noise_share=0.0)
    phase = Phase(name="short", minutes=1e-6, highest_rate=0.1, mixture=mixture)
    train_red_cnn(data, tmp_path / "work", tmp_path / "out" / "red_cnn.onnx", phases=(phase,), channels=1)
    began = torch.load(tmp_path / "work" / "red_cnn_start.pt", weights_only=True)
    ended = read_weights(tmp_path / "out" / "red_cnn.onnx")
    assert set(ended) == set(began)
    assert any(not np.array_equal(ended[name], began[name].numpy()) for name in began)
