# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Quality control of an axial CT series, while the patient is still on the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.card import ModelCard
from appliance.domain.finding import Refusal
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.tasks.base import Answer
from appliance.tasks.quality_ct.series_checks import (
    field_check,
    metal_check,
    motion_check,
    noise_check,
    scaling_check,
)
from appliance.tasks.quality_ct.slice_measures import SliceMeasure, measure_slice
from appliance.tasks.quality_ct.stack_checks import (
    completeness_check,
    slice_spacing_check,
    slice_stack_check,
)
from appliance.tasks.radiograph_measures.header_checks import identity_check


class QualityCt:
    """A SeriesTask without a model."""

    name = "quality_ct"
    lane = Lane.QUALITY
    model: str | None = None

    def accepts(self, acquisition: Acquisition, card: ModelCard | None) -> Refusal | None:
        """See `Task.accepts`: grey-scale CT series in HU; localizers are no stack of slices."""
        del card
        reason = _reason_against(acquisition)
        return None if reason is None else Refusal(task=self.name, reason=reason)

    def measure(self, acquisition: Acquisition, index: int, image: PixelImage) -> SliceMeasure:
        """See `SeriesTask.measure`."""
        del acquisition
        return measure_slice(index, image)

    def conclude(self, acquisition: Acquisition, measures: Iterable[SliceMeasure]) -> Answer:
        """Every criterion, the judged and those that are not."""
        known = tuple(measures)
        return Answer(
            quality=(
                slice_stack_check(acquisition, {measure.index: measure.digest for measure in known}),
                completeness_check(acquisition),
                slice_spacing_check(acquisition),
                field_check(known),
                motion_check(known),
                noise_check(acquisition, known),
                metal_check(known),
                scaling_check(known),
                identity_check(acquisition.first),
            )
        )


def _reason_against(acquisition: Acquisition) -> str | None:
    first = acquisition.first
    if acquisition.kind is not Kind.VOLUME:
        return "This task looks at series of slices, not at single radiographs."
    if first.modality != "CT":
        return f"Quality control of series was made for CT; this is {first.modality or 'unknown'}."
    if first.pixels is None or first.pixels.samples_per_pixel != 1:
        return "These are no grey-scale slices."
    if "LOCALIZER" in {part.upper() for part in first.image_type}:
        return "This is a scout view, not a series of slices."
    return None


TASK: Final = QualityCt()
