# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Quality control of a radiograph of a limb, before the patient leaves."""

from __future__ import annotations

from typing import Final

from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.finding import Refusal
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.engines.base import Tensors
from appliance.tasks.base import Answer
from appliance.tasks.radiograph_measures.body_parts import Part, reason_against
from appliance.tasks.radiograph_measures.header_checks import view_tags_check
from appliance.tasks.radiograph_measures.limb_coverage import limb_coverage_check, outline_limb
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

_LIMB_MARGIN: Final = 0.06
"""Part of the field's side around the limb: 1 to 2 cm of air."""


class QualityExtremity:
    """An ImageTask. Takes radiographs whose header names a part of a limb."""

    name = "quality_extremity"
    lane = Lane.QUALITY
    model: str | None = MODEL

    def accepts(self, acquisition: Acquisition, card: ModelCard | None) -> Refusal | None:
        """See `ImageTask.accepts`. The model is not needed: without it one check says so."""
        del card
        reason = reason_against(acquisition, Part.LIMB)
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
        limb = None if measured.blank else outline_limb(measured.overview, measured.field)
        coverage = (
            not_checked("field_of_view", "This looks like a chest, so no limb was outlined.")
            if looks_like(outputs, card) == CHEST_LABEL
            else limb_coverage_check(first, measured.overview, measured.field, limb)
        )
        return Answer(
            quality=(
                coverage,
                body_part_check(first, outputs, card),
                orientation_check(first, outputs, card),
                view_tags_check(first, limb=True, chest=False),
                *general_checks(measured, burnt_counts=False),
                collimation_check(measured, limb, margin=_LIMB_MARGIN),
            )
        )


TASK: Final = QualityExtremity()
