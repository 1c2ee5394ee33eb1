# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A header as an Instance: every field from where it may stand, unknown left unknown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from appliance.domain.acquisition import Instance
from appliance.domain.record import from_json, to_json
from appliance.intake.description import FileState
from appliance.intake.header import is_image_class, object_kind
from appliance.intake.jail import Jail

WriteDicom = Callable[..., Path]
PIXELS = np.zeros((40, 30), np.uint16)


def instance_of(jail: Jail, path: Path) -> Instance:
    found = jail.describe(path)
    assert found.state is FileState.WHOLE, found.reason
    assert found.instance is not None
    return found.instance


def code(meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "SCT", meaning
    return item


def test_a_radiograph(jail: Jail, write_dicom: WriteDicom) -> None:
    path = write_dicom(
        PIXELS,
        BitsStored=12,
        BodyPartExamined="CHEST",
        ViewPosition="PA",
        ImageLaterality="U",
        ImageType=["DERIVED", "PRIMARY"],
        PatientName="DOE^JANE",
        PatientAge="034Y",
        PatientSex="F",
        AcquisitionDate="20260102",
        AcquisitionTime="030405.67",
        ExposureIndex="412.5",
        TargetExposureIndex="400",
        DeviationIndex="0.1",
        KVP="120",
        ExposureInuAs=2500,
        Exposure="3",
        ExposureTime="12",
        BodyPartThickness="220",
        ImagerPixelSpacing=["0.139", "0.14"],
        PatientOrientation=["L", "F"],
        Manufacturer="ACME",
        DetectorID="D1",
        InstanceNumber="4",
        RequestedProcedurePriority="STAT",
        BurnedInAnnotation="NO",
    )
    found = instance_of(jail, path)
    assert found.pixels is not None
    assert (found.pixels.rows, found.pixels.columns, found.pixels.bits_stored) == (40, 30, 12)
    assert (found.body_part, found.view_position, found.laterality) == ("CHEST", "PA", "U")
    assert found.image_type == ("DERIVED", "PRIMARY")
    assert (found.patient.patient_name, found.patient.age_years) == ("DOE^JANE", 34.0)
    assert found.acquired_at == "20260102030405.67"
    exposure = found.exposure
    assert (exposure.exposure_index, exposure.target_exposure_index) == (412.5, 400.0)
    assert (exposure.exposure_mas, exposure.exposure_time_ms) == (2.5, 12.0)
    assert exposure.body_part_thickness_mm == 220.0
    assert found.geometry.pixel_spacing_mm == (0.139, 0.14)
    assert found.geometry.pixel_spacing_source == "ImagerPixelSpacing"
    assert found.geometry.patient_orientation == ("L", "F")
    assert (found.equipment.manufacturer, found.equipment.detector_id) == ("ACME", "D1")
    assert found.counts.instance_number == 4
    assert (found.requested_priority, found.burned_in_annotation) == ("STAT", "NO")
    assert from_json(Instance, to_json(found)) == found


# Trace: REQ-029
def test_unknown_stays_unknown(jail: Jail, write_dicom: WriteDicom) -> None:
    found = instance_of(jail, write_dicom(PIXELS))
    assert found.body_part is None
    assert found.view_position is None
    assert found.laterality is None
    assert found.acquired_at is None
    assert found.patient.age_years is None
    assert found.geometry.pixel_spacing_mm is None
    assert found.geometry.frame_positions_mm == ()
    assert set(vars_of(found.exposure)) == {None}
    assert set(vars_of(found.counts)) == {None}


def vars_of(noun: object) -> list[object]:
    return [getattr(noun, name) for name in type(noun).__slots__]  # type: ignore[attr-defined]  # all nouns are slotted


def test_codes_stand_in_for_words(jail: Jail, write_dicom: WriteDicom) -> None:
    path = write_dicom(
        PIXELS, AnatomicRegionSequence=[code("Hand")], ViewCodeSequence=[code("oblique")], Laterality="R"
    )
    found = instance_of(jail, path)
    assert (found.body_part, found.view_position, found.laterality) == ("HAND", "OBLIQUE", "R")


# Trace: REQ-029
def test_pixel_spacing_wins_and_impossible_spacing_is_passed_over(
    jail: Jail, write_dicom: WriteDicom
) -> None:
    path = write_dicom(PIXELS, PixelSpacing=["0.2", "0.3"], ImagerPixelSpacing=["0.1", "0.1"])
    assert instance_of(jail, path).geometry.pixel_spacing_source == "PixelSpacing"
    path = write_dicom(PIXELS, PixelSpacing=["0", "-1"])
    assert instance_of(jail, path).geometry.pixel_spacing_mm == (0.1, 0.1)


def test_enhanced_frames_have_their_own_places(jail: Jail, write_dicom: WriteDicom) -> None:
    def group(z: float) -> Dataset:
        place, groups = Dataset(), Dataset()
        place.ImagePositionPatient = ["-100", "-100", str(z)]
        groups.PlanePositionSequence = [place]
        return groups

    measures, plane, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = ["0.7", "0.7"], "2.5"
    plane.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    path = write_dicom(
        np.zeros((3, 8, 8), np.uint16),
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=[group(0.0), group(2.5), group(5.0)],
    )
    geometry = instance_of(jail, path).geometry
    assert [place[2] for place in geometry.frame_positions_mm] == [0.0, 2.5, 5.0]
    assert geometry.pixel_spacing_mm == (0.7, 0.7)
    assert geometry.slice_thickness_mm == 2.5
    assert geometry.image_orientation_patient == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    path = write_dicom(PerFrameFunctionalGroupsSequence=[group(0.0), Dataset(), group(5.0)])
    assert instance_of(jail, path).geometry.frame_positions_mm == ()


def test_degenerate_orientation_is_unknown(jail: Jail, write_dicom: WriteDicom) -> None:
    for cosines in (["0"] * 6, ["1", "0", "0", "1", "0", "0"], ["2", "0", "0", "0", "2", "0"]):
        path = write_dicom(PIXELS, ImageOrientationPatient=cosines)
        assert instance_of(jail, path).geometry.image_orientation_patient is None


def test_real_radiographs_have_what_their_headers_say(jail: Jail, real_data: Path) -> None:
    folder = real_data / "ct" / "dx-cr"
    chest = instance_of(jail, folder / "CR_ExplLE_gdcm-CR-MONO1-10-chest.dcm")
    assert chest.pixels is not None
    assert chest.pixels.photometric_interpretation == "MONOCHROME1"
    slices = sorted((real_data / "ct" / "ct-normal-dose" / "covidctmd-normal001").glob("*.dcm"))[:3]
    heights = [instance_of(jail, path).geometry.frame_positions_mm[0][2] for path in slices]
    assert len(set(heights)) == 3


def test_kinds_of_objects() -> None:
    assert object_kind("1.2.840.10008.5.1.4.1.1.1.1") is None
    assert object_kind("1.2.840.10008.5.1.4.1.1.2.1") is None
    assert object_kind("1.3.46.670589.5.0.1.1") is None
    assert object_kind("1.2.840.10008.5.1.4.1.1.481.2") == "RT Dose"
    assert is_image_class("1.2.840.10008.5.1.4.1.1.13.1.3")
    assert not is_image_class("1.3.46.670589.5.0.1.1")
