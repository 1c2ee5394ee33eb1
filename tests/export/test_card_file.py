# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A card written and read again says the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tomllib

from appliance.domain.card import Metric, ModelCard, Variant
from appliance.domain.record import from_plain

pytest.importorskip("tomli_w", reason="the workshop is not installed (make setup-export)")
from export.card_file import card_toml


def test_a_card_written_and_read_again_says_the_same(chest_card: ModelCard) -> None:
    card = replace(
        chest_card,
        summary='Says "maybe".\nÄ second line with \\ in it.',
        metrics=(Metric(name="AUC", value=0.75, dataset="films", n=3, ci_low=0.5),),
        variants=(Variant(precision="int8", tolerances={"logits": 0.25, "heatmap": 1.5}),),
    )
    assert from_plain(ModelCard, tomllib.loads(card_toml(card))) == card


def test_numbers_are_written_to_six_digits(chest_card: ModelCard) -> None:
    label = replace(chest_card.labels[0], scale=1 / 3)
    assert "scale = 0.333333\n" in card_toml(replace(chest_card, labels=(label,)))
