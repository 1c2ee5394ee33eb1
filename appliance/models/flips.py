# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Do the golden images get the same decisions as from the float32 reference?

Numbers that are near enough can still fall on the other side of a threshold, and it is the decision that
somebody acts on. Decisions are made as the tasks make them: through the card's scale, shift and thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import Label, ModelCard
from appliance.domain.finding import Decision, decide
from appliance.models.bundle import Bundle
from appliance.models.parity import Golden, allowed_difference

LOGITS: Final = "logits"
"""Outputs with this name, or with one that begins with it and `_`, hold the labels' channels, in the order of
the card; a model with two heads has two of them."""
FLIPPED_AT_MOST: Final = 0.01
"""Share of decisions: the limit of the accuracy gate. Of fewer than a hundred, none may flip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """Decisions on the golden images, against those of the golden outputs."""

    decisions: int
    """One per image and label, without those that float32 itself leaves open."""
    flipped: int
    open: int
    """Golden values so near to a threshold that two float32 engines may differ there: no decision to keep."""

    @property
    def reason(self) -> str | None:
        """Why this is too much; None when it is not."""
        if self.flipped <= FLIPPED_AT_MOST * self.decisions:
            return None
        return (
            f"{self.flipped} of {self.decisions} decisions on the golden images differ from float32; "
            f"{int(FLIPPED_AT_MOST * self.decisions)} may"
        )


def count_flips(outputs: Mapping[str, NDArray[Any]], bundle: Bundle) -> Flips | None:
    """None for a model that decides nothing, or whose card does not say which output holds its labels."""
    golden = _channels(bundle.golden_outputs, bundle.card)
    given = _channels(outputs, bundle.card)
    if golden is None or given is None or golden.shape != given.shape:
        return None
    noise = _noise(bundle)
    decisions = flipped = left_open = 0
    for channel, label in enumerate(bundle.card.labels):
        for wanted, value in zip(golden[:, channel], given[:, channel], strict=True):
            around = {_decision(label, float(wanted) + step) for step in (-noise, 0.0, noise)}
            if len(around) > 1:
                left_open += 1
                continue
            decisions += 1
            flipped += _decision(label, float(value)) not in around
    return Flips(decisions=decisions, flipped=flipped, open=left_open)


def _noise(bundle: Bundle) -> float:
    """What two float32 engines may differ by in a logit."""
    return max(
        allowed_difference(value) for name, value in bundle.golden_outputs.items() if _holds_labels(name)
    )


def _decision(label: Label, logit: float) -> Decision:
    return decide(
        label.probability_of(logit), sensitive=label.sensitive_threshold, specific=label.specific_threshold
    )


def _holds_labels(output: str) -> bool:
    return output == LOGITS or output.startswith(f"{LOGITS}_")


def _channels(outputs: Golden, card: ModelCard) -> NDArray[np.float64] | None:
    """[images, labels]; None when the card's labels and outputs do not fit together."""
    heads = [np.asarray(outputs[spec.name]) for spec in card.outputs if _holds_labels(spec.name)]
    if not card.labels or not heads or any(head.ndim != 2 for head in heads):
        return None
    channels = np.concatenate([head.astype(np.float64) for head in heads], axis=1)
    return channels if channels.shape[1] == len(card.labels) else None
