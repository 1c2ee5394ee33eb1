# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A set of pictures with known truth, and the card of the tiny models that look at them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.domain.card import ModelCard, Preprocessing, TensorSpec
from calibration.dataset import CalibrationSet
from tests.export.graphs import SIDE_PX, brightness_set


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> CalibrationSet:
    """150 pictures of 75 groups, 10 of them AP."""
    return brightness_set(tmp_path_factory.mktemp("films"))


@pytest.fixture
def bright_card(chest_card: ModelCard) -> ModelCard:
    """One label, Bright; probability 0.3 and 0.7 are the operating points."""
    return replace(
        chest_card,
        inputs=(TensorSpec(name="image", shape=("batch", 1, SIDE_PX, SIDE_PX), dtype="float32"),),
        outputs=(TensorSpec(name="logits", shape=("batch", 1), dtype="float32"),),
        preprocessing=Preprocessing(
            kind="letterbox", size_px=SIDE_PX, low_percentile=0.5, high_percentile=99.5
        ),
        labels=(replace(chest_card.labels[0], name="Bright", scale=1.0, shift=0.0),),
    )
