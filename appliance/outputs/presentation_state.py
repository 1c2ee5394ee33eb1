# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The places of findings and quality checks as a layer over the original: a grayscale presentation state.

The image itself is not changed and the layer can be switched off. A finding of a model whose card draws no
place has none here; where nothing is to be drawn there is no object.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from highdicom import PresentationLUTTransformation, pr
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Decision, Finding
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.outputs.base import Rendered
from appliance.outputs.finishing import finished, maker, making
from appliance.outputs.identity import uid_of
from appliance.outputs.regions import Region, regions_of, shown_marks
from appliance.outputs.source_header import GREY, PLACE, evidence_of

SERIES_NUMBER: Final = 9003
LAYER: Final = "AI_MARKS"
ANSWERS: Final = {Decision.PRESENT: "suspected", Decision.INDETERMINATE: "uncertain"}
LABEL_ROOM_PX: Final = 1.0
"""A label hangs this far above its place."""


class PresentationState:
    """An `Output`."""

    name = "presentation_state"

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One layer for all places of the lane; none without a place. Raises InputError."""
        drawn = tuple(_drawn(acquisition, result))
        if not drawn:
            return ()
        marked = {id(region.instance): region.instance for region, _ in drawn}
        evidence = {key: evidence_of(instance, more=(*PLACE, *GREY)) for key, instance in marked.items()}
        images = list(evidence.values())
        with making("presentation states"):
            layer = pr.GraphicLayer(LAYER, order=1, description="AI, not for diagnosis")
            dataset = pr.GrayscaleSoftcopyPresentationState(
                referenced_images=images,
                series_instance_uid=uid_of("presentation series", acquisition.first.series_instance_uid),
                series_number=SERIES_NUMBER,
                instance_number=list(Lane).index(result.lane) + 1,
                content_label=f"AI_{result.lane.value.upper()}",
                content_description="Places marked by AI, not for diagnosis",
                graphic_layers=[layer],
                graphic_annotations=[
                    _annotation(region, words, evidence[id(region.instance)], layer)
                    for region, words in drawn
                ],
                presentation_lut_transformation=PresentationLUTTransformation(_polarity(images[0])),
                series_description="AI marks, not for diagnosis",
                **maker(),
            )
        _keep_shape(dataset, images[0])
        content = finished(dataset, kind="presentation state", evidence=images[0])
        return (Rendered(file_name=f"marks-{result.lane.value}.dcm", content=content),)


def _drawn(acquisition: Acquisition, result: LaneResult) -> Iterator[tuple[Region, str]]:
    """Every place with the words beside it."""
    for check in result.quality:
        for region in regions_of(acquisition, check.marks):
            yield region, f"AI quality: {region.label}"
    for finding in result.findings:
        for region in regions_of(acquisition, shown_marks(finding)):
            yield region, words_of(finding)


def words_of(finding: Finding) -> str:
    """A finding in a line, as a question."""
    percent = round(100 * finding.probability)
    return f"AI: {finding.code.meaning}? {ANSWERS.get(finding.decision, 'not flagged')}, {percent} %"


def _annotation(region: Region, words: str, image: Dataset, layer: pr.GraphicLayer) -> pr.GraphicAnnotation:
    return pr.GraphicAnnotation(
        referenced_images=[image],
        referenced_frame_number=region.frame_number,
        graphic_layer=layer,
        graphic_objects=[
            pr.GraphicObject(pr.GraphicTypeValues.POLYLINE, region.points, pr.AnnotationUnitsValues.PIXEL)
        ],
        text_objects=[
            pr.TextObject(
                words,
                pr.AnnotationUnitsValues.PIXEL,
                anchor_point=_label_place(region.points),
                anchor_point_visible=False,
            )
        ],
    )


def _label_place(points: NDArray[np.float64]) -> tuple[float, float]:
    """(column, row) above the uppermost point."""
    column, row = points[int(points[:, 1].argmin())]
    return float(column), max(0.0, float(row) - LABEL_ROOM_PX)


def _polarity(image: Dataset) -> str:
    """PS3.3 C.11.6.1.2: a presentation state says itself that low values are white."""
    return "INVERSE" if image.PhotometricInterpretation == "MONOCHROME1" else "IDENTITY"


def _keep_shape(dataset: Any, image: Dataset) -> None:
    """The library takes pixels for squares; say their real size where it is known and they are not."""
    spacing = image.get("PixelSpacing") or image.get("ImagerPixelSpacing")
    if spacing is None or spacing[0] == spacing[1]:
        return
    for area in dataset.DisplayedAreaSelectionSequence:
        area.pop("PresentationPixelAspectRatio", None)
        area.PresentationPixelSpacing = list(spacing)


OUTPUT: Final = PresentationState()
