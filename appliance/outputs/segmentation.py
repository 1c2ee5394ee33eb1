# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Outlined areas as a DICOM segmentation: one segment for each kind of area, on the images that it lies on.

Areas are polygon marks: where the denoised series has kept the original's values, the exposed field of a
radiograph. Boxes and lines point at something and are no areas: they are in the presentation state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from highdicom import AlgorithmIdentificationSequence, seg
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import UID

from appliance.domain.acquisition import Acquisition, Instance
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape
from appliance.domain.result import LaneResult
from appliance.outputs.base import Rendered
from appliance.outputs.derived_series import ROLE
from appliance.outputs.finishing import finished, maker, making, name_dimensions
from appliance.outputs.identity import (
    MANUFACTURER,
    MODEL_NAME,
    derived_series_uid,
    frame_of_reference_uid,
    software_version,
    uid_of,
)
from appliance.outputs.quality_codes import own_code
from appliance.outputs.source_header import PLACE, evidence_of, take_over

SERIES_NUMBER: Final = 9005
SPATIAL: Final = Code("309825002", "SCT", "Spatial and Relational Concept")
LEARNED: Final = Code("123110", "DCM", "Artificial Intelligence")
MEASURED: Final = Code("123103", "DCM", "Edge Detection")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Masked:
    """One image and the areas on it."""

    image: Dataset
    areas: tuple[Mark, ...]


class Segmentation:
    """An `Output`."""

    name = "segmentation"

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One object if there are areas, else none. Raises InputError."""
        masked = tuple(_masked(acquisition, result))
        if not masked:
            return ()
        labels = tuple(dict.fromkeys(area.label for one in masked for area in one.areas))
        images = [one.image for one in masked]
        series_uid = uid_of("segmentation series", images[0].SeriesInstanceUID)
        with making("segmentations"):
            dataset = seg.Segmentation(
                source_images=images,
                pixel_array=_pixels(masked, labels),
                segmentation_type=seg.SegmentationTypeValues.BINARY,
                segment_descriptions=[
                    _described(number, label, acquisition, result)
                    for number, label in enumerate(labels, start=1)
                ],
                series_instance_uid=series_uid,
                series_number=SERIES_NUMBER,
                instance_number=list(Lane).index(result.lane) + 1,
                content_label=f"AI_{result.lane.value.upper()}",
                content_description="Areas outlined by the device, not for diagnosis",
                series_description="AI areas, not for diagnosis",
                **maker(),
            )
        if "FrameOfReferenceUID" not in dataset:  # type 2C: then nothing else says how the image lies
            take_over(images[0], dataset, ("PatientOrientation",), always=True)
        name_dimensions(dataset, uid_of("dimensions", series_uid))
        content = finished(dataset, kind="segmentation", evidence=images[0])
        return (Rendered(file_name=f"areas-{result.lane.value}.dcm", content=content),)


def _masked(acquisition: Acquisition, result: LaneResult) -> Iterator[_Masked]:
    """Every image with areas, in the order of the stack; of single frames only."""
    marks = [mark for check in result.quality for mark in check.marks]
    for number, place in enumerate(acquisition.slices):
        instance = acquisition.instances[place.instance]
        if instance.pixels is None or instance.pixels.number_of_frames != 1:
            continue
        here = [mark for mark in marks if mark.slice_index == number or len(acquisition.slices) == 1]
        areas = tuple(mark for mark in here if mark.shape is MarkShape.POLYGON)
        if areas:
            yield _Masked(image=evidence_of(instance, more=(*PLACE, "PatientOrientation")), areas=areas)
    yield from _masked_derived(acquisition, result)


def _masked_derived(acquisition: Acquisition, result: LaneResult) -> Iterator[_Masked]:
    """The same of the images that this lane has made: the n-th is made of the n-th slice of the stack."""
    made = [file for file in result.derived if file.role == ROLE]
    if not made or not result.engines:
        return
    series_uid = derived_series_uid(acquisition.first.series_instance_uid, result.engines[0].model)
    for place, file in zip(acquisition.slices, made, strict=True):
        areas = tuple(mark for mark in file.marks if mark.shape is MarkShape.POLYGON)
        if areas and file.sop_instance_uid is not None:
            image = _derived(acquisition.instances[place.instance], series_uid, file.sop_instance_uid)
            yield _Masked(image=image, areas=areas)


def _derived(source: Instance, series_uid: UID, sop_instance_uid: str) -> Dataset:
    image = evidence_of(source, more=PLACE)
    image.SeriesInstanceUID, image.SOPInstanceUID = series_uid, UID(sop_instance_uid)
    image.setdefault("FrameOfReferenceUID", frame_of_reference_uid(source.series_instance_uid))
    return image


def _pixels(masked: tuple[_Masked, ...], labels: tuple[str, ...]) -> NDArray[np.uint8]:
    """[image, row, column, segment], 1 inside."""
    shape = (len(masked), masked[0].image.Rows, masked[0].image.Columns, len(labels))
    pixels = np.zeros(shape, np.uint8)
    for index, one in enumerate(masked):
        for area in one.areas:
            plane = np.zeros(shape[1:3], np.uint8)
            corners = np.rint(np.array(area.points_px)[:, ::-1]).astype(np.int32)
            cv2.fillPoly(plane, [corners], 1)
            pixels[index, :, :, labels.index(area.label)] |= plane
    return pixels


def _described(
    number: int, label: str, acquisition: Acquisition, result: LaneResult
) -> seg.SegmentDescription:
    if result.lane is Lane.QUALITY:
        name, version, family = f"{MODEL_NAME} quality control", software_version(), MEASURED
    else:
        name, _, version = result.engines[0].model.partition("@")
        family = LEARNED
    kind: Any = own_code(label.replace(" ", "_"))
    return seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=SPATIAL,
        segmented_property_type=kind,
        algorithm_type=seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=name, family=family, version=version, source=MANUFACTURER
        ),
        tracking_id=label,
        tracking_uid=uid_of("tracking", acquisition.acquisition_id, "area", label),
    )


OUTPUT: Final = Segmentation()
