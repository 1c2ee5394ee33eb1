# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Quality control of a chest radiograph, before the patient leaves."""

from __future__ import annotations

from typing import Final

import numpy as np

from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.finding import Refusal
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.engines.base import Tensors
from appliance.tasks.base import Answer
from appliance.tasks.radiograph_measures.body_parts import Part, reason_against
from appliance.tasks.radiograph_measures.header_checks import view_tags_check
from appliance.tasks.radiograph_measures.lung_coverage import lung_coverage_check
from appliance.tasks.radiograph_measures.lung_outlines import Lung, find_lungs
from appliance.tasks.radiograph_measures.picture_checks import (
    MeasuredRadiograph,
    collimation_check,
    general_checks,
)
from appliance.tasks.radiograph_measures.verdicts import not_checked
from appliance.tasks.radiograph_measures.view_model import (
    CHEST_LABEL,
    MODEL,
    body_part_check,
    looks_like,
    model_inputs,
    orientation_check,
)

_LUNG_MARGIN: Final = 0.12
"""Part of the field's side around the lungs that belongs to a chest radiograph: soft tissue, the lower ribs
and the costophrenic angles that the outline misses; 4 to 5 cm."""
_NOT_YET: Final = "Not judged by this device yet; look yourself."


class QualityChest:
    """An ImageTask. Takes radiographs of a chest, and those that do not say what they show."""

    name = "quality_chest"
    lane = Lane.QUALITY
    model: str | None = MODEL

    def accepts(self, acquisition: Acquisition, card: ModelCard | None) -> Refusal | None:
        """See `ImageTask.accepts`. The model is not needed: without it two checks say so."""
        del card
        reason = reason_against(acquisition, Part.CHEST)
        return None if reason is None else Refusal(task=self.name, reason=reason)

    def prepare(self, acquisition: Acquisition, image: PixelImage, card: ModelCard | None) -> Tensors:
        """`image`: the small square that the view model sees."""
        del acquisition
        return model_inputs(image, card)

    def interpret(
        self, acquisition: Acquisition, image: PixelImage, outputs: Tensors, card: ModelCard | None
    ) -> Answer:
        """Every criterion, the judged and those that are not."""
        first = acquisition.first
        measured = MeasuredRadiograph(acquisition=acquisition, image=image)
        part = body_part_check(first, outputs, card)
        orientation = orientation_check(first, outputs, card)
        lungs, why_not = _lungs(measured, looks_like(outputs, card), orientation)
        anatomy = None
        if len(lungs) == 2:
            anatomy = np.maximum(lungs[0].mask, lungs[1].mask)
        coverage = (
            not_checked("field_of_view", why_not)
            if why_not is not None
            else lung_coverage_check(first, measured.overview, measured.field, lungs)
        )
        return Answer(
            quality=(
                coverage,
                part,
                orientation,
                view_tags_check(first, limb=False, chest=bool(first.body_part)),
                *general_checks(measured, burnt_counts=True),
                collimation_check(measured, anatomy, margin=_LUNG_MARGIN),
                not_checked("rotation", _NOT_YET),
                not_checked("inspiration", _NOT_YET),
            )
        )


def _lungs(
    measured: MeasuredRadiograph, seen: str | None, orientation: QualityCheck
) -> tuple[tuple[Lung, ...], str | None]:
    """The lungs, or why they are not looked for."""
    if measured.blank:
        return (), "There is nothing in the picture to judge this on."
    if seen not in {None, CHEST_LABEL}:
        return (), "This does not look like a chest, so lungs were not looked for."
    if seen is None and not measured.acquisition.first.body_part:
        return (), "The header names no body part and no model says that this is a chest."
    if orientation.verdict is Verdict.CHECK:
        return (), "The picture is turned; lungs are outlined on upright pictures only."
    return find_lungs(measured.overview, measured.field), None


TASK: Final = QualityChest()
