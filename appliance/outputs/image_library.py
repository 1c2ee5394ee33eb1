# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The images that a report is about, so that a reader need not open them to know them: TID 1600.

What all images of the acquisition share stands once, at the group (TID 1601, 1602 to 1604); each entry has
what is its own. What the header does not give is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import UID

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    """One thing that the header gives: a code, a UID, a text, or a number with its `unit`."""

    name: Code
    value: Code | UID | str | float
    unit: Code = PIXELS

    def item(self) -> sr.ContentItem:
        said: dict[str, Any] = {"name": self.name, "value": self.value, "relationship_type": CONTEXT}
        if isinstance(self.value, Code):
            return sr.CodeContentItem(**said)
        if isinstance(self.value, UID):
            return sr.UIDRefContentItem(**said)
        if isinstance(self.value, str):
            return sr.TextContentItem(**said)
        return sr.NumContentItem(unit=self.unit, **said)


def image_library(acquisition: Acquisition, evidence: list[Dataset]) -> sr.ContainerContentItem:
    """The library of all images; `evidence` is theirs, in the order of `acquisition.instances`."""
    library = sr.ContainerContentItem(name=codes.DCM.ImageLibrary, relationship_type=CONTAINS)
    group = sr.ContainerContentItem(name=codes.DCM.ImageLibraryGroup, relationship_type=CONTAINS)
    described = [
        tuple(_described(instance, header))
        for instance, header in zip(acquisition.instances, evidence, strict=True)
    ]
    shared = frozenset(described[0]).intersection(*described)
    group.ContentSequence = sr.ContentSequence([fact.item() for fact in described[0] if fact in shared])
    for instance, facts in zip(acquisition.instances, described, strict=True):
        image = sr.ImageContentItem(
            name=SOURCE,
            referenced_sop_class_uid=instance.sop_class_uid,
            referenced_sop_instance_uid=instance.sop_instance_uid,
            relationship_type=CONTAINS,
        )
        own = [fact.item() for fact in facts if fact not in shared]
        if own:
            image.ContentSequence = sr.ContentSequence(own)
        group.ContentSequence.append(image)
    library.ContentSequence = sr.ContentSequence([group])
    return library


def _described(instance: Instance, header: Dataset) -> Iterator[_Fact]:
    modality = MODALITIES.get(instance.modality)
    if modality is not None:
        yield _Fact(name=codes.DCM.Modality, value=modality)
    if "FrameOfReferenceUID" in header:
        yield _Fact(name=codes.DCM.FrameOfReferenceUID, value=UID(header.FrameOfReferenceUID))
    if instance.pixels is not None:
        yield _Fact(name=codes.DCM.PixelDataRows, value=instance.pixels.rows, unit=PIXELS)
        yield _Fact(name=codes.DCM.PixelDataColumns, value=instance.pixels.columns, unit=PIXELS)
    yield from _geometry(instance)


def _geometry(instance: Instance) -> Iterator[_Fact]:
    geometry = instance.geometry
    if geometry.pixel_spacing_mm is not None:
        yield _Fact(name=codes.DCM.HorizontalPixelSpacing, value=geometry.pixel_spacing_mm[1], unit=MM)
        yield _Fact(name=codes.DCM.VerticalPixelSpacing, value=geometry.pixel_spacing_mm[0], unit=MM)
    if geometry.patient_orientation is not None:
        for name, letters in zip(SIDES, geometry.patient_orientation, strict=True):
            yield _Fact(name=name, value=letters)
    if geometry.image_orientation_patient is None or len(geometry.frame_positions_mm) != 1:
        return
    if geometry.slice_thickness_mm is not None:
        yield _Fact(name=codes.DCM.SliceThickness, value=geometry.slice_thickness_mm, unit=MM)
    for name, cosine in zip(ORIENTATION, geometry.image_orientation_patient, strict=True):
        yield _Fact(name=name, value=cosine, unit=COSINE)
    for name, place_mm in zip(POSITION, geometry.frame_positions_mm[0], strict=True):
        yield _Fact(name=name, value=place_mm, unit=MM)
