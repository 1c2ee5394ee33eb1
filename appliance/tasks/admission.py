# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""May this model answer for this acquisition? Its card says for what it was tested; the header, what this is.

What the header does not say is not guessed: a model that was tested on adults does not answer for an
unknown age. The image is then read as usual, with the reason on the screen, which is what would happen
without this device; a wrong answer about a child would not be. A denoised copy is no answer: it stands
beside its original, and how far it may differ is bounded by the noise of each picture. So it is made where
the header is silent, as it is about the body part in most CT, and refused where the header says something
that the model was not tested for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.domain.acquisition import Acquisition, Instance, Kind
from appliance.domain.card import IntendedUse, ModelCard

GREY: Final = frozenset({"MONOCHROME1", "MONOCHROME2"})
FOR_PROCESSING: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray Image Storage - For Processing
        "1.2.840.10008.5.1.4.1.1.1.2.1",  # Digital Mammography X-Ray Image Storage - For Processing
        "1.2.840.10008.5.1.4.1.1.1.3.1",  # Digital Intra-Oral X-Ray Image Storage - For Processing
    }
)
"""Raw detector data (PS3.4 annex B.5): its grey values are not those of a picture."""
NO_MODEL: Final = "No model for this task is installed."


def reason_against(
    acquisition: Acquisition, card: ModelCard | None, kind: Kind, *, silence_refuses: bool = True
) -> str | None:
    """Why the model must not answer, in words for a technologist; None when it may.

    `silence_refuses`: whether it must not where the header does not say what the card asks for.
    """
    if card is None:
        return NO_MODEL
    if acquisition.kind is not kind:
        return (
            f"This model looks at {'single radiographs' if kind is Kind.PROJECTION else 'series of slices'}."
        )
    first, use = acquisition.first, card.intended_use
    reasons = (
        _pixels(acquisition.instances, card),
        _one_of("modality", first.modality, use.modalities),
        _one_of("body part", first.body_part, use.body_parts, silence_refuses=silence_refuses),
        _one_of("view", first.view_position, use.view_positions, silence_refuses=silence_refuses),
        _age(first, use, silence_refuses=silence_refuses),
    )
    return next((reason for reason in reasons if reason is not None), None)


def is_for_other_body_parts(acquisition: Acquisition, card: ModelCard) -> bool:
    """Whether the model was made for something else than what the header says this is."""
    found, allowed = acquisition.first.body_part, card.intended_use.body_parts
    return bool(found and allowed) and _one_of("body part", found, allowed) is not None


def _pixels(instances: Iterable[Instance], card: ModelCard) -> str | None:
    for instance in instances:
        pixels = instance.pixels
        if pixels is None:
            return "There is no image in this object."
        if pixels.samples_per_pixel != 1 or pixels.photometric_interpretation not in GREY:
            return (
                f"This is a {pixels.photometric_interpretation} picture; "
                "the model was tested on grey values as the scanner gives them."
            )
        if instance.sop_class_uid in FOR_PROCESSING:
            return "This is raw detector data (for processing); the model was tested on finished pictures."
        size_px = card.preprocessing.size_px
        if size_px is not None and max(pixels.rows, pixels.columns) < size_px:
            return (
                f"The image has only {pixels.rows} x {pixels.columns} pixels; "
                f"the model was tested on {size_px} or more on the longer side."
            )
    return None


def _one_of(
    what: str, found: str | None, allowed: tuple[str, ...], *, silence_refuses: bool = True
) -> str | None:
    if not allowed or not (found or silence_refuses):
        return None
    tested = (
        " or ".join(allowed) if len(allowed) < 4 else f"{', '.join(allowed[:3])} and {len(allowed) - 3} more"
    )
    if not found:
        return f"The {what} is not given; this model was tested for {tested}. Set it at the console."
    if found.strip().upper() not in {entry.upper() for entry in allowed}:
        return f"The {what} is {found.strip()}; this model was tested for {tested}."
    return None


def _age(first: Instance, use: IntendedUse, *, silence_refuses: bool) -> str | None:
    low, high = use.minimum_age_years, use.maximum_age_years
    age = first.patient.age_years
    if (low is None and high is None) or (age is None and not silence_refuses):
        return None
    if low is None:
        tested = f"up to {high:g} years"
    elif high is None:
        tested = f"{low:g} years and over"
    else:
        tested = f"{low:g} to {high:g} years"
    if age is None:
        return f"The patient's age is unknown; this model was tested for {tested}. Read by a person."
    if (low is not None and age < low) or (high is not None and age >= high + 1):
        return f"The patient is {age:.0f} years old; this model was tested for {tested}. Read by a person."
    return None
