# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A shift of the mean is taken back, layer by layer, and nothing but biases changes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from calibration.ranges import PERCENTILE, collect
from export.bias_correction import correct_biases
from export.graphs import constants
from export.quantize import Quantised, activations, quantize
from export.session import run_all
from tests.tiny_networks import images, residual_classifier


def shifted(model: onnx.ModelProto) -> Quantised:
    """The int8 graph, with one channel of the first layer moved: what rounding does, only more."""
    ranges = collect(model, activations(model), images(8)).ranges(PERCENTILE)
    found = quantize(model, ranges)
    for stored in found.model.graph.initializer:
        if stored.name == "stem/bias":
            moved = numpy_helper.to_array(stored).copy()
            moved[3] += 0.2
            stored.CopyFrom(numpy_helper.from_array(moved, stored.name))
    return found


def mean_logits(model: onnx.ModelProto) -> np.ndarray:
    return np.mean([answer["logits"] for answer in run_all(model, images(8))], axis=0)


def test_the_mean_answer_is_that_of_float32_again() -> None:
    model = residual_classifier()
    wrong = shifted(model)
    corrected = correct_biases(model, wrong, images(8))
    wanted = mean_logits(model)
    before = np.abs(mean_logits(wrong.model) - wanted).max()
    assert before > 0.02
    assert np.abs(mean_logits(corrected.model) - wanted).max() < before / 20
    assert abs(constants(corrected.model)["stem/bias"][3] - constants(model)["stem/bias"][3]) < 0.02


def test_only_biases_change_and_the_given_graph_does_not() -> None:
    model = residual_classifier()
    wrong = shifted(model)
    copy = onnx.ModelProto()
    copy.CopyFrom(wrong.model)
    corrected = correct_biases(model, wrong, images(4))
    assert wrong.model == copy
    before, after = constants(wrong.model), constants(corrected.model)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"stem/bias", "inner/bias", "outer/bias", "head/bias"}
    assert [node.SerializeToString() for node in corrected.model.graph.node] == [
        node.SerializeToString() for node in wrong.model.graph.node
    ]
