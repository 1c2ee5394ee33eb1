# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which decisions count, which are left open, and how many may flip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.domain.card import ModelCard
from appliance.models.bundle import Bundle
from appliance.models.flips import Flips, count_flips


def bundle_of(card: ModelCard, golden: list[list[float]], tmp_path: Path) -> Bundle:
    return Bundle(
        folder=tmp_path,
        card=card,
        model_sha256={},
        sums_sha256="",
        signer=None,
        golden_inputs={},
        golden_outputs={
            "logits": np.array(golden, np.float32),
            "heatmap": np.zeros((len(golden), 2, 1, 1), np.float32),
        },
    )


def given(*logits: list[float]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    return {"logits": np.array(logits, np.float32)}


LOW, HIGH = 0.0763, 0.9236
"""Logits at the thresholds 0.3 and 0.7 of the card: (ln(p / (1 - p)) + 1) / 2."""


def test_the_three_words_are_compared_not_the_numbers(chest_card: ModelCard, tmp_path: Path) -> None:
    bundle = bundle_of(chest_card, [[-2.0, 0.5], [3.0, 3.0]], tmp_path)
    assert count_flips(given([-1.0, 0.2], [2.0, 9.0]), bundle) == Flips(decisions=4, flipped=0, open=0)
    flips = count_flips(given([-1.0, 0.0], [0.9, 3.0]), bundle)
    assert flips == Flips(decisions=4, flipped=2, open=0)
    assert flips.reason == "2 of 4 decisions on the golden images differ from float32; 0 may"


def test_what_float32_leaves_open_is_no_decision(chest_card: ModelCard, tmp_path: Path) -> None:
    bundle = bundle_of(chest_card, [[LOW, 3.0], [HIGH + 0.0005, 3.0], [HIGH + 0.01, 3.0]], tmp_path)
    assert count_flips(given([-9.0, 3.0], [-9.0, 3.0], [HIGH + 0.01, 3.0]), bundle) == Flips(
        decisions=4, flipped=0, open=2
    )


@pytest.mark.parametrize(("images", "flipped", "passes"), [(49, 1, False), (50, 1, True), (50, 2, False)])
def test_one_of_a_hundred_may_flip(
    chest_card: ModelCard, tmp_path: Path, images: int, flipped: int, passes: bool
) -> None:
    bundle = bundle_of(chest_card, [[3.0, 3.0]] * images, tmp_path)
    answers = [[3.0, 3.0]] * (images - flipped) + [[-3.0, 3.0]] * flipped
    flips = count_flips(given(*answers), bundle)
    assert flips is not None
    assert (flips.reason is None) is passes


def test_two_heads_are_read_in_the_order_of_the_card(chest_card: ModelCard, tmp_path: Path) -> None:
    logits = chest_card.outputs[0]
    heads = (replace(logits, name="logits_part"), replace(logits, name="logits_rotation"))
    golden = {name: np.array([[3.0]], np.float32) for name in ("logits_part", "logits_rotation")}
    bundle = replace(
        bundle_of(chest_card, [[0.0, 0.0]], tmp_path),
        card=replace(chest_card, outputs=heads),
        golden_outputs=golden,
    )
    flipped = golden | {"logits_rotation": np.array([[-3.0]], np.float32)}
    assert count_flips(golden, bundle) == Flips(decisions=2, flipped=0, open=0)
    assert count_flips(flipped, bundle) == Flips(decisions=2, flipped=1, open=0)


def test_a_model_that_decides_nothing_has_no_flips(
    denoise_card: ModelCard, chest_card: ModelCard, tmp_path: Path
) -> None:
    denoised = {"denoised": np.zeros((1, 1, 4, 4), np.float32)}
    bundle = replace(bundle_of(denoise_card, [[0.0]], tmp_path), golden_outputs=denoised)
    assert count_flips(denoised, bundle) is None
    one_channel = bundle_of(chest_card, [[0.0]], tmp_path)
    assert count_flips(given([0.0]), one_channel) is None, "two labels, one channel"
