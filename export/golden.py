# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The golden inputs of a bundle: images that nobody was a patient for.

They travel with the model to every device and are there to see whether an engine computes what it should;
for that they need contrast at every scale, not anatomy.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.errors import InputError
from export.reference.bundle import synthetic_films

SLICE_PX: Final = 96
"""Rows and columns of a golden slice: many times the reach of a denoiser, and still a small file."""
AIR_HU: Final = -1000.0
SPAN_HU: Final = 1400.0
"""From air to dense bone with contrast medium: the values that a slice of a body is made of."""
NOISE_HU: Final = 25.0
"""Of a low-dose slice (the real quarter-dose pairs differ from routine dose by 23 to 65 HU)."""
IMAGES: Final = 4
"""Enough that no engine is right by chance on one; few enough for a small file."""


def golden_inputs(card: ModelCard, *, seed: int = 3) -> dict[str, NDArray[np.float32]]:
    """One array [IMAGES, 1, rows, columns] for the card's one input; the same for the same seed.

    Raises InputError for a card whose input this appliance does not prepare.
    """
    how = card.preprocessing
    name = card.inputs[0].name
    if len(card.inputs) != 1:
        raise InputError(
            f"The card has {len(card.inputs)} inputs; an image fills one.",
            remedy="Export the model with one image input.",
        )
    if how.kind == "letterbox" and how.size_px is not None:
        return {name: synthetic_films(how.size_px, count=IMAGES, seed=seed)}
    if how.kind == "slice":
        side = -(-SLICE_PX // how.multiple_of_px) * how.multiple_of_px
        smooth = synthetic_films(side, count=IMAGES, seed=seed)
        noise = np.random.default_rng(seed).normal(0, NOISE_HU, smooth.shape)
        return {name: (AIR_HU + SPAN_HU * smooth + noise).astype(np.float32)}
    raise InputError(
        f"The card does not say how an image is prepared ({how.kind}).",
        remedy="Give its preprocessing the kind slice, or letterbox with size_px.",
    )
