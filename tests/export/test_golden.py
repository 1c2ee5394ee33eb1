# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Golden inputs have the card's shape and range, and are nobody's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("tomli_w", reason="the workshop is not installed (make setup-export)")

from appliance.domain.card import ModelCard
from appliance.errors import InputError
from export.golden import IMAGES, golden_inputs


def test_films_fill_the_square_and_its_range(chest_card: ModelCard) -> None:
    films = golden_inputs(chest_card)["image"]
    assert films.shape == (IMAGES, 1, 320, 320)
    assert films.dtype == np.float32
    assert films.min() == 0.0
    assert films.max() == 1.0
    assert len({film.tobytes() for film in films}) == IMAGES


def test_slices_are_hounsfield_units_in_the_cards_multiple(denoise_card: ModelCard) -> None:
    slices = golden_inputs(denoise_card)["slice"]
    assert slices.shape[0] == IMAGES
    assert all(side % 4 == 0 for side in slices.shape[2:])
    assert -1200 < slices.min() < -900
    assert 300 < slices.max() < 600


def test_the_same_seed_gives_the_same_bytes(denoise_card: ModelCard) -> None:
    assert golden_inputs(denoise_card)["slice"].tobytes() == golden_inputs(denoise_card)["slice"].tobytes()


def test_a_card_that_does_not_say_how_is_refused(chest_card: ModelCard) -> None:
    odd = dataclasses.replace(
        chest_card, preprocessing=dataclasses.replace(chest_card.preprocessing, kind="spectrogram")
    )
    with pytest.raises(InputError, match="spectrogram"):
        golden_inputs(odd)
