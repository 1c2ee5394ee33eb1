# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Where marks lie, as DICOM says it: on which image, and as (column, row) from the corner of its first pixel.

Our points count (row, column) from the centre of the first pixel; PS3.3 C.10.5 and C.18.6 count from its
upper left corner, so half a pixel is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

from appliance.domain.acquisition import Acquisition, Instance, Kind
from appliance.domain.finding import Finding
from appliance.domain.quality import Mark, MarkShape

HALF_PX: Final = 0.5
FEWEST_CORNERS: Final = 3
OF_ONE_FRAME: Final = frozenset(
    {
        CTImageStorage,
        MRImageStorage,
        PositronEmissionTomographyImageStorage,
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        DigitalXRayImageStorageForProcessing,
    }
)
"""Classes without a Multi-frame module (PS3.3 table A.1-1)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """One mark on one image."""

    instance: Instance
    frame_number: int | None
    """Counted from 1; None for an image of one frame."""
    label: str
    points: NDArray[np.float64]
    """[n, 2], (column, row) in pixels; a closed one ends where it begins. Read-only."""
    closed: bool


def shown_marks(finding: Finding) -> tuple[Mark, ...]:
    """The places that may be told: of what was flagged, and never of a model that flags the image only."""
    if not finding.is_flagged or finding.draws_location is False:
        return ()
    return finding.marks


def frame_number_of(instance: Instance, frame: int) -> int | None:
    """How a reference names this frame, counted from 1; None where the class has one frame only.

    Files exist that put several frames into such a class; a reference to one of them stays one to the image.
    """
    many = instance.pixels is not None and instance.pixels.number_of_frames > 1
    return frame + 1 if many and instance.sop_class_uid not in OF_ONE_FRAME else None


def regions_of(acquisition: Acquisition, marks: tuple[Mark, ...]) -> tuple[Region, ...]:
    """The marks that can be drawn on one image. Ranges of slices are none: see `slices_of`."""
    return tuple(_regions(acquisition, marks))


def slices_of(acquisition: Acquisition, marks: tuple[Mark, ...]) -> tuple[int, ...]:
    """Numbers of the slices (indices into `Acquisition.slices`) that marks of ranges name."""
    named = {
        number
        for mark in marks
        if mark.shape is MarkShape.SLICES
        for first, last in mark.points_px
        for number in range(max(0, int(first)), min(len(acquisition.slices), int(last) + 1))
    }
    return tuple(sorted(named))


def _regions(acquisition: Acquisition, marks: tuple[Mark, ...]) -> Iterator[Region]:
    for mark in marks:
        number = 0 if acquisition.kind is Kind.PROJECTION else mark.slice_index
        if mark.shape is MarkShape.SLICES or number is None or not 0 <= number < len(acquisition.slices):
            continue
        place = acquisition.slices[number]
        instance = acquisition.instances[place.instance]
        if instance.pixels is None:
            continue
        closed = mark.shape in {MarkShape.BOX, MarkShape.POLYGON}
        points = _corners(mark)
        if closed and len(points) < FEWEST_CORNERS:
            continue
        size = np.array((instance.pixels.columns, instance.pixels.rows), np.float64)
        points = np.clip(points + HALF_PX, 0.0, size)
        if closed:
            points = np.concatenate((points, points[:1]))
        points.flags.writeable = False
        yield Region(
            instance=instance,
            frame_number=frame_number_of(instance, place.frame),
            label=mark.label,
            points=points,
            closed=closed,
        )


def _corners(mark: Mark) -> NDArray[np.float64]:
    """(column, row) of the points; of a box its four corners."""
    points = np.array(mark.points_px, np.float64)[:, ::-1]
    if mark.shape is not MarkShape.BOX:
        return points
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
