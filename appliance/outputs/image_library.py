# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The images that a report is about, so that a reader need not open them to know them: TID 1600.

What all images of the acquisition share stands once, at the group (TID 1601, 1602 to 1604); each entry has
what is its own. What the header does not give is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from appliance.domain.acquisition import Acquisition, Instance

MODALITIES: Final = {code.value: code for code in codes.cid29.concepts.values()}
SOURCE: Final = Code("260753009", "SCT", "Source")
PIXELS: Final = Code("{pixels}", "UCUM", "Pixels")
MM: Final = Code("mm", "UCUM", "millimeter")
COSINE: Final = Code("{-1:1}", "UCUM", "{-1:1}")
CONTEXT: Final = sr.RelationshipTypeValues.HAS_ACQ_CONTEXT
CONTAINS: Final = sr.RelationshipTypeValues.CONTAINS
POSITION: Final = tuple(getattr(codes.DCM, f"ImagePositionPatient{axis}") for axis in "XYZ")
ORIENTATION: Final = tuple(
    getattr(codes.DCM, f"ImageOrientationPatient{side}{axis}") for side in ("Row", "Column") for axis in "XYZ"
)
SIDES: Final = (codes.DCM.PatientOrientationRow, codes.DCM.PatientOrientationColumn)


def image_library(acquisition: Acquisition, evidence: list[Dataset]) -> sr.ContainerContentItem:
    """The library of all images; `evidence` is theirs, in the order of `acquisition.instances`."""
    library = sr.ContainerContentItem(name=codes.DCM.ImageLibrary, relationship_type=CONTAINS)
    group = sr.ContainerContentItem(name=codes.DCM.ImageLibraryGroup, relationship_type=CONTAINS)
    described = [
        list(_described(instance, header))
        for instance, header in zip(acquisition.instances, evidence, strict=True)
    ]
    shared = [item for item in described[0] if all(item in others for others in described)]
    group.ContentSequence = sr.ContentSequence(shared)
    for instance, items in zip(acquisition.instances, described, strict=True):
        image = sr.ImageContentItem(
            name=SOURCE,
            referenced_sop_class_uid=instance.sop_class_uid,
            referenced_sop_instance_uid=instance.sop_instance_uid,
            relationship_type=CONTAINS,
        )
        own = [item for item in items if item not in shared]
        if own:
            image.ContentSequence = sr.ContentSequence(own)
        group.ContentSequence.append(image)
    library.ContentSequence = sr.ContentSequence([group])
    return library


def _described(instance: Instance, header: Dataset) -> Iterator[sr.ContentItem]:
    modality = MODALITIES.get(instance.modality)
    if modality is not None:
        yield sr.CodeContentItem(name=codes.DCM.Modality, value=modality, relationship_type=CONTEXT)
    if "FrameOfReferenceUID" in header:
        yield sr.UIDRefContentItem(
            name=codes.DCM.FrameOfReferenceUID, value=header.FrameOfReferenceUID, relationship_type=CONTEXT
        )
    if instance.pixels is not None:
        yield _number(codes.DCM.PixelDataRows, instance.pixels.rows, PIXELS)
        yield _number(codes.DCM.PixelDataColumns, instance.pixels.columns, PIXELS)
    yield from _geometry(instance)


def _geometry(instance: Instance) -> Iterator[sr.ContentItem]:
    geometry = instance.geometry
    if geometry.pixel_spacing_mm is not None:
        yield _number(codes.DCM.HorizontalPixelSpacing, geometry.pixel_spacing_mm[1], MM)
        yield _number(codes.DCM.VerticalPixelSpacing, geometry.pixel_spacing_mm[0], MM)
    if geometry.patient_orientation is not None:
        for name, letters in zip(SIDES, geometry.patient_orientation, strict=True):
            yield sr.TextContentItem(name=name, value=letters, relationship_type=CONTEXT)
    if geometry.image_orientation_patient is None or len(geometry.frame_positions_mm) != 1:
        return
    if geometry.slice_thickness_mm is not None:
        yield _number(codes.DCM.SliceThickness, geometry.slice_thickness_mm, MM)
    for name, value in zip(ORIENTATION, geometry.image_orientation_patient, strict=True):
        yield _number(name, value, COSINE)
    for name, value in zip(POSITION, geometry.frame_positions_mm[0], strict=True):
        yield _number(name, value, MM)


def _number(name: Code, value: float, unit: Code) -> sr.NumContentItem:
    return sr.NumContentItem(name=name, value=value, unit=unit, relationship_type=CONTEXT)
