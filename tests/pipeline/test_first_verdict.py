# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How often a frame may be halved is what every model that answers allows, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.domain.acquisition import Acquisition, Kind, PixelFormat
from appliance.domain.card import ModelCard
from appliance.domain.image import HALVED_SYNTAXES
from appliance.pipeline.first_verdict import halvings_for_triage
from tests.line_parts import Shelf

MakeAcquisition = Callable[..., Acquisition]


def exam(
    make_acquisition: MakeAcquisition,
    *,
    syntax: str = "1.2.840.10008.1.2.4.201",
    longer_px: int = 3000,
    kind: Kind = Kind.PROJECTION,
) -> Acquisition:
    made = make_acquisition(body_part="CHEST", view_position="PA", patient={"age_years": 50.0})
    pixels = PixelFormat(
        transfer_syntax_uid=syntax,
        rows=2500,
        columns=longer_px,
        number_of_frames=1,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=16,
        bits_stored=14,
        pixel_representation=0,
    )
    return replace(made, kind=kind, instances=(replace(made.first, pixels=pixels),))


def allowing(card: ModelCard, smallest_px: int | None) -> ModelCard:
    return replace(card, preprocessing=replace(card.preprocessing, smallest_halved_px=smallest_px))


@pytest.mark.parametrize(
    ("smallest_px", "halvings"), [(750, 2), (751, 1), (1500, 1), (1501, 0), (375, 3), (None, 0)]
)
def test_as_often_as_the_card_allows(
    make_acquisition: MakeAcquisition,
    shelf: Shelf,
    chest_card: ModelCard,
    smallest_px: int | None,
    halvings: int,
) -> None:
    shelf.cards = {"chest_triage": allowing(chest_card, smallest_px)}
    assert halvings_for_triage(exam(make_acquisition), shelf) == halvings


def test_only_for_models_that_answer_and_for_all_of_them(
    make_acquisition: MakeAcquisition, shelf: Shelf, chest_card: ModelCard
) -> None:
    chest = allowing(chest_card, 750)
    use = replace(chest.intended_use, body_parts=("HAND",), view_positions=())
    hands = replace(chest, task="fracture_triage", intended_use=use)
    shelf.cards = {"chest_triage": chest, "fracture_triage": allowing(hands, None)}
    assert halvings_for_triage(exam(make_acquisition), shelf) == 2
    both = replace(hands, intended_use=chest.intended_use)
    for smallest_px, halvings in ((None, 0), (1400, 1), (700, 2)):
        shelf.cards["fracture_triage"] = allowing(both, smallest_px)
        assert halvings_for_triage(exam(make_acquisition), shelf) == halvings
    shelf.cards = {"fracture_triage": allowing(hands, 750)}  # nobody answers
    assert halvings_for_triage(exam(make_acquisition), shelf) == 0


def test_only_lossless_projections(
    make_acquisition: MakeAcquisition, shelf: Shelf, chest_card: ModelCard
) -> None:
    shelf.cards = {"chest_triage": allowing(chest_card, 750)}
    for syntax in HALVED_SYNTAXES:
        assert halvings_for_triage(exam(make_acquisition, syntax=syntax), shelf) == 2
    plain, fast = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201"
    assert halvings_for_triage(exam(make_acquisition, syntax=plain), shelf, jpeg_2000=False) == 0
    assert halvings_for_triage(exam(make_acquisition, syntax=fast), shelf, jpeg_2000=False) == 2
    for syntax in ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"):
        assert halvings_for_triage(exam(make_acquisition, syntax=syntax), shelf) == 0
    assert halvings_for_triage(exam(make_acquisition, kind=Kind.VOLUME), shelf) == 0
    no_pixels = make_acquisition(body_part="CHEST", view_position="PA", patient={"age_years": 50.0})
    bare = replace(no_pixels, instances=(replace(no_pixels.first, pixels=None),))
    assert halvings_for_triage(bare, shelf) == 0
