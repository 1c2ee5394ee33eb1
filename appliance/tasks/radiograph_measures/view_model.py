# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a small network sees in a radiograph, compared with what its header claims.

The model's card lists its labels in the order of the outputs: body parts first (`logits_part`), then
ROTATION_0 to ROTATION_270 (`logits_rotation`), the quarters by which a chest was turned clockwise. Every
label has its own probability; one below its threshold is no answer.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from appliance.domain.acquisition import Instance
from appliance.domain.card import Label, ModelCard
from appliance.domain.image import PixelImage
from appliance.domain.quality import QualityCheck, Verdict
from appliance.engines.base import Tensors
from appliance.errors import EngineError, ModelBundleError
from appliance.tasks.letterbox import letterbox
from appliance.tasks.radiograph_measures.body_parts import Part, is_upper_limb, part_of, words_of
from appliance.tasks.radiograph_measures.verdicts import not_checked, said

MODEL: Final = "radiograph_view"
CHEST_LABEL: Final = "CHEST"
UPPER_LIMB_LABEL: Final = "UPPER_LIMB"
_PART_OUTPUT: Final = "logits_part"
_ROTATION_OUTPUT: Final = "logits_rotation"
_ROTATION_LABEL: Final = "ROTATION_"
_NO_MODEL: Final = "The model that compares picture and header is not installed or does not serve here."


def model_inputs(image: PixelImage, card: ModelCard | None) -> Tensors:
    """`image`: float32 [1, 1, size, size]; nothing without a card."""
    if card is None:
        return {}
    how = card.preprocessing
    if how.size_px is None or how.low_percentile is None or how.high_percentile is None:
        raise ModelBundleError(
            f"The card of {card.identity} does not say how a radiograph is prepared ({how.kind}).",
            remedy="Install a bundle whose preprocessing is of the kind letterbox.",
        )
    boxed = letterbox(
        image, size_px=how.size_px, low_percentile=how.low_percentile, high_percentile=how.high_percentile
    )
    return {"image": boxed.tensor}


def looks_like(outputs: Tensors, card: ModelCard | None) -> str | None:
    """The body part that the model is sure of: a label of the card; None when it is not, or is absent."""
    if card is None or not outputs:
        return None
    seen = _answer(outputs, _PART_OUTPUT, _labels(card, rotation=False))
    return None if seen is None else seen[0]


def body_part_check(first: Instance, outputs: Tensors, card: ModelCard | None) -> QualityCheck:
    """Does the picture look like the body part that the header names?"""
    if card is None or not outputs:
        return not_checked("body_part_agrees", _NO_MODEL)
    named = words_of(first)
    seen = _answer(outputs, _PART_OUTPUT, _labels(card, rotation=False))
    if seen is None:
        return not_checked("body_part_agrees", "The picture looks like nothing that the model knows well.")
    name, probability = seen
    looks = f"the picture looks like: {name.replace('_', ' ').lower()} ({100.0 * probability:.0f} %)"
    if not named:
        return said(
            "body_part_agrees",
            Verdict.CHECK,
            f"The header names no body part; {looks}. Set it at the console.",
        )
    claimed = (
        CHEST_LABEL if part_of(first) is Part.CHEST else UPPER_LIMB_LABEL if is_upper_limb(first) else None
    )
    if claimed is None:
        return not_checked("body_part_agrees", f"The model was not made for: {named.lower()}.")
    if name == claimed:
        return said("body_part_agrees", Verdict.OK, f"The header says {named}, and {looks}.")
    return said(
        "body_part_agrees",
        Verdict.CHECK,
        f"The header says {named}, but {looks}. Check examination and patient.",
    )


def orientation_check(first: Instance, outputs: Tensors, card: ModelCard | None) -> QualityCheck:
    """Is the picture upright? Judged on chests only: limbs have no usual way up."""
    if card is None or not outputs:
        return not_checked("orientation", _NO_MODEL)
    if part_of(first) is not Part.CHEST:
        return not_checked("orientation", "Limbs have no usual way up, so it was not judged.")
    if looks_like(outputs, card) != CHEST_LABEL:
        return not_checked(
            "orientation", "The model is not sure that this is a chest; look which way up it is."
        )
    turned = _answer(outputs, _ROTATION_OUTPUT, _labels(card, rotation=True))
    if turned is None:
        return not_checked("orientation", "The model is not sure which way up this is.")
    degrees = int(turned[0].removeprefix(_ROTATION_LABEL))
    if degrees == 0:
        return said(
            "orientation",
            Verdict.OK,
            "The picture is upright; whether it is mirrored cannot be seen by this device.",
        )
    return said(
        "orientation",
        Verdict.CHECK,
        f"The picture is turned by {degrees} degrees clockwise. Turn it back before sending.",
    )


def _labels(card: ModelCard, *, rotation: bool) -> tuple[Label, ...]:
    return tuple(label for label in card.labels if label.name.startswith(_ROTATION_LABEL) is rotation)


def _answer(outputs: Tensors, output: str, labels: tuple[Label, ...]) -> tuple[str, float] | None:
    """The likeliest label and its probability; None when it is below its threshold.

    Raises EngineError when the output is missing, not finite or not one number per label.
    """
    if output not in outputs:
        raise EngineError(
            f"The view model gave no output named {output}.", remedy="Install its bundle again."
        )
    logits = np.asarray(outputs[output], dtype=np.float64)
    if logits.shape != (1, len(labels)) or not np.isfinite(logits).all():
        raise EngineError(
            f"The view model's output {output} has shape {logits.shape} instead of (1, {len(labels)}),"
            " or numbers that are not finite.",
            remedy="Run `scanside models verify`.",
        )
    if not labels:
        return None
    chances = [
        float(1.0 / (1.0 + np.exp(-np.clip(label.scale * logit + label.shift, -60.0, 60.0))))
        for label, logit in zip(labels, logits[0], strict=True)
    ]
    best = int(np.argmax(chances))
    return (labels[best].name, chances[best]) if chances[best] >= labels[best].specific_threshold else None
