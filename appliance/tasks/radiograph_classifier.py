# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Triage of one radiograph by a classifier: what every triage task is made of.

The graph gives one logit per label and, if it can, a map of what each place contributed to it; without
one no location is drawn. The card turns a logit into a calibrated probability and has two operating
points for it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.card import Label, ModelCard
from appliance.domain.finding import Finding, Refusal, decide
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape
from appliance.engines.base import Tensors
from appliance.engines.checked import fit_output
from appliance.errors import ModelBundleError
from appliance.tasks.admission import reason_against
from appliance.tasks.base import Answer, Heatmap
from appliance.tasks.letterbox import Placement, letterbox, place

IMAGE: Final = "image"
LOGITS: Final = "logits"
HEATMAP: Final = "heatmap"
REGION_OF_PEAK: Final = 0.5
"""A box goes around the connected region that holds at least this share of the strongest evidence:
the full width at half maximum, as for any peak."""
LARGEST_BOX: Final = 0.5
"""A box around more than this share of the frame points at nothing and is not drawn."""


def is_classifier(card: ModelCard) -> bool:
    """Does the card describe a model that this task can ask: one radiograph in, one logit per label out?"""
    inputs, outputs = {spec.name for spec in card.inputs}, {spec.name for spec in card.outputs}
    draws_without_map = card.intended_use.draws_location and HEATMAP not in outputs
    return (
        bool(card.labels)
        and card.preprocessing.kind == "letterbox"
        and inputs == {IMAGE}
        and {LOGITS} <= outputs <= {LOGITS, HEATMAP}
        and not draws_without_map
    )


class RadiographClassifier:
    """An ImageTask over one model bundle."""

    lane = Lane.TRIAGE

    def __init__(self, *, name: str) -> None:
        self.name = name
        self.model: str | None = name

    def accepts(self, acquisition: Acquisition, card: ModelCard | None) -> Refusal | None:
        """See `ImageTask.accepts`."""
        reason = reason_against(acquisition, card, Kind.PROJECTION)
        return None if reason is None else Refusal(task=self.name, reason=reason)

    def prepare(self, acquisition: Acquisition, image: PixelImage, card: ModelCard | None) -> Tensors:
        """`image`: float32 [1, 1, size_px, size_px], 0 to 1."""
        del acquisition
        if card is None:
            return {}
        size_px, low, high = _how(card)
        return {IMAGE: letterbox(image, size_px=size_px, low_percentile=low, high_percentile=high).tensor}

    def interpret(
        self, acquisition: Acquisition, image: PixelImage, outputs: Tensors, card: ModelCard | None
    ) -> Answer:
        """One finding per label of the card. Raises EngineError when an output is not what it must be."""
        del acquisition
        if card is None:
            return Answer()
        labels = card.labels
        logits = fit_output(outputs, LOGITS, (1, len(labels)))[0]
        findings = tuple(
            replace(_finding(self.name, label, float(logit)), draws_location=card.intended_use.draws_location)
            for label, logit in zip(labels, logits, strict=True)
        )
        if HEATMAP not in {spec.name for spec in card.outputs}:
            return Answer(findings=findings)
        heats = fit_output(outputs, HEATMAP, (1, len(labels), None, None))[0]
        if not card.intended_use.draws_location:
            return Answer(findings=findings)
        return _with_places(findings, heats, place(image.whole_shape, size_px=_how(card)[0]))


def _with_places(findings: tuple[Finding, ...], heats: NDArray[np.float32], where: Placement) -> Answer:
    """The findings that are not absent with their boxes and maps."""
    drawn, heatmaps = [], []
    for finding, heat in zip(findings, heats, strict=True):
        if not finding.is_flagged:
            drawn.append(finding)
            continue
        evidence = _evidence(heat, where)
        drawn.append(_with_box(finding, evidence, where))
        heatmaps.append(Heatmap(finding_code=finding.code.value, values=_to_source(evidence, where)))
    return Answer(findings=tuple(drawn), heatmaps=tuple(heatmaps))


def _how(card: ModelCard) -> tuple[int, float, float]:
    how = card.preprocessing
    if how.size_px is None or how.low_percentile is None or how.high_percentile is None:
        raise ModelBundleError(
            f"The card of {card.identity} does not say how a radiograph is prepared ({how.kind}).",
            remedy="Install a bundle whose preprocessing is of the kind letterbox.",
        )
    return how.size_px, how.low_percentile, how.high_percentile


def _finding(task: str, label: Label, logit: float) -> Finding:
    probability = label.probability_of(logit)
    low, high = label.sensitive_threshold, label.specific_threshold
    return Finding(
        task=task,
        code=label.code,
        probability=probability,
        sensitive_threshold=low,
        specific_threshold=high,
        decision=decide(probability, sensitive=low, specific=high),
    )


def _evidence(heat: NDArray[np.float32], where: Placement) -> NDArray[np.float32]:
    """What speaks for the finding, 0 to 1 of its peak, on the tensor's grid; nothing beside the frame."""
    side = (where.size_px, where.size_px)
    square = np.zeros(side, dtype=np.float32)
    top, left = where.offset_px
    inside = (slice(top, top + where.frame_px[0]), slice(left, left + where.frame_px[1]))
    square[inside] = np.maximum(cv2.resize(heat, side, interpolation=cv2.INTER_LINEAR), 0.0)[inside]
    peak = float(square.max())
    return square / np.float32(peak) if peak > 0 else square


def _to_source(evidence: NDArray[np.float32], where: Placement) -> NDArray[np.float32]:
    values = np.clip(where.heat_to_source(evidence), 0.0, 1.0)
    values.flags.writeable = False
    return values


def _with_box(finding: Finding, evidence: NDArray[np.float32], where: Placement) -> Finding:
    if not evidence.any():
        return finding
    _, regions, boxes, _ = cv2.connectedComponentsWithStats((evidence >= REGION_OF_PEAK).astype(np.uint8))
    row, column = np.unravel_index(int(evidence.argmax()), evidence.shape)
    left, top, columns, rows = (int(value) for value in boxes[regions[row, column]][:4])
    if rows * columns > LARGEST_BOX * where.frame_px[0] * where.frame_px[1]:
        return finding
    first = where.to_source(top - 0.5, left - 0.5)
    last = where.to_source(top + rows - 0.5, left + columns - 0.5)
    mark = Mark(label=finding.code.meaning, shape=MarkShape.BOX, points_px=(first, last))
    return replace(finding, marks=(mark,))
