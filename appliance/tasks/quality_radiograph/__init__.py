# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Quality control of a radiograph of any other body part: what can be judged without knowing the part."""

from __future__ import annotations

from typing import Final

from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.finding import Refusal
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.engines.base import Tensors
from appliance.tasks.base import Answer
from appliance.tasks.radiograph_measures.body_parts import Part, reason_against, words_of
from appliance.tasks.radiograph_measures.header_checks import view_tags_check
from appliance.tasks.radiograph_measures.picture_checks import (
    MeasuredRadiograph,
    collimation_check,
    general_checks,
)
from appliance.tasks.radiograph_measures.verdicts import not_checked


class QualityRadiograph:
    """An ImageTask. Takes radiographs that neither the chest nor the limb checks take."""

    name = "quality_radiograph"
    lane = Lane.QUALITY
    model: str | None = None

    def accepts(self, acquisition: Acquisition, card: ModelCard | None) -> Refusal | None:
        """See `ImageTask.accepts`."""
        del card
        reason = reason_against(acquisition, Part.OTHER)
        return None if reason is None else Refusal(task=self.name, reason=reason)

    def prepare(self, acquisition: Acquisition, image: PixelImage, card: ModelCard | None) -> Tensors:
        """Nothing: no model looks at it."""
        del acquisition, image, card
        return {}

    def interpret(
        self, acquisition: Acquisition, image: PixelImage, outputs: Tensors, card: ModelCard | None
    ) -> Answer:
        """Every criterion, the judged and those that are not."""
        del outputs, card
        first = acquisition.first
        why = f"This device has no checks made for: {words_of(first).lower()}. Look yourself."
        measured = MeasuredRadiograph(acquisition=acquisition, image=image)
        return Answer(
            quality=(
                not_checked("field_of_view", why),
                not_checked("body_part_agrees", why),
                not_checked("orientation", why),
                view_tags_check(first, limb=False, chest=False),
                *general_checks(measured, burnt_counts=False),
                collimation_check(measured, None, margin=0.0),
            )
        )


TASK: Final = QualityRadiograph()
