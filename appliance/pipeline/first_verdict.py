# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""May triage answer from a frame without its finest wavelet levels, and without how many?"""

from __future__ import annotations

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.image import HALVED_SYNTAXES, JPEG_2000_LOSSLESS
from appliance.domain.job import Lane
from appliance.pipeline.bench import Models
from appliance.tasks.catalogue import tasks_for


def halvings_for_triage(acquisition: Acquisition, models: Models, *, jpeg_2000: bool = True) -> int:
    """How often the frame may be halved for every model that would answer; 0: not at all.

    Each card says how many samples the longer side has to keep; a model whose card does not say sees whole
    frames, and then nothing is won by halving for the others. `jpeg_2000`: not only HTJ2K.
    """
    pixels = acquisition.first.pixels
    if acquisition.kind is not Kind.PROJECTION or pixels is None:
        return 0
    if pixels.transfer_syntax_uid not in HALVED_SYNTAXES:
        return 0
    if pixels.transfer_syntax_uid == JPEG_2000_LOSSLESS and not jpeg_2000:
        return 0
    cards = {name: card for name in models.tasks() if (card := models.card(name)) is not None}
    smallest_px = 0
    for task in tasks_for(Lane.TRIAGE, acquisition.kind, list(cards.values())):
        card = cards.get(task.model) if task.model else None
        if card is None or task.accepts(acquisition, card) is not None:
            continue
        if card.preprocessing.smallest_halved_px is None:
            return 0
        smallest_px = max(smallest_px, card.preprocessing.smallest_halved_px)
    if smallest_px == 0:
        return 0  # nobody would answer
    halvings = 0
    while max(pixels.rows, pixels.columns) >> (halvings + 1) >= smallest_px:
        halvings += 1
    return halvings
