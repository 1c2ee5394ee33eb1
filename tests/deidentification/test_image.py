# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A patient planted in every place that a header has, and none of it left."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from appliance.deidentification.image import without_patient
from appliance.deidentification.pseudonyms import LONGEST_SHIFT_DAYS, Pseudonyms, pseudonyms_of
from appliance.deidentification.rules import DEVICE_IDENTITY, PATIENT_CHARACTERISTICS, Option, _edition
from appliance.errors import InputError
from appliance.selftest.phantom_radiograph import Identity, write_chest

CANARY = "Quetzalcoatl"
NO_DAY = "00010101"
STAND_INS = Pseudonyms(key=b"k" * 32)
TEXT_VRS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.dcm"
    write_chest(path, identity=Identity(patient_id="P-4711", patient_name="DOE^JANE"), rows=300, columns=250)
    return path


def changed(film: Path, change: Any) -> Path:
    dataset = pydicom.dcmread(film)
    change(dataset)
    dataset.save_as(film)
    return film


def cleaned(film: Path, *options: Option, looked_at: bool = False) -> Dataset:
    answer = without_patient(film, STAND_INS, frozenset(options), pixels_looked_at=looked_at)
    dataset = pydicom.dcmread(io.BytesIO(answer.content))
    assert answer.file_name == f"{dataset.SOPInstanceUID}.dcm"
    return dataset


def plant_everywhere(dataset: Dataset) -> None:
    """The canary in every text of the table, at the top and in a nested item, and in private elements."""
    nested = Dataset()
    for where in (dataset, nested):
        for tag in _edition():
            if len(tag) != 2 or tag[0] == 2 or tag[0] == 0x7FE0:
                continue
            number = (tag[0] << 16) | tag[1]
            try:
                vr = dictionary_VR(number)
            except KeyError:
                continue
            if vr in TEXT_VRS:
                where.add_new(number, vr, CANARY.upper() if vr in {"AE", "CS"} else CANARY)
        where.private_block(0x0019, "ACME 1", create=True).add_new(1, "LO", CANARY)
    dataset.RequestAttributesSequence = Sequence([nested])
    dataset.ReferencedStudySequence = Sequence([nested])
    dataset.AnatomicRegionSequence = Sequence([nested])


# Trace: REQ-045
@pytest.mark.parametrize("options", [(), tuple(Option)], ids=["basic", "all options"])
def test_no_canary_is_left_anywhere(film: Path, options: tuple[Option, ...]) -> None:
    kept = {"StationName", *DEVICE_IDENTITY} if options else set()

    def plant(dataset: Dataset) -> None:
        plant_everywhere(dataset)
        for level in (dataset, dataset.AnatomicRegionSequence[0]):
            for keyword in kept | (set(PATIENT_CHARACTERISTICS) if options else set()):
                if keyword in level and level[keyword].VR in TEXT_VRS:
                    level[keyword].value = "KEPT"

    changed(film, plant)
    assert film.read_bytes().upper().count(CANARY.upper().encode()) > 200
    answer = without_patient(film, STAND_INS, frozenset(options), pixels_looked_at=False)
    assert CANARY.upper().encode() not in answer.content.upper()
    assert b"ACME 1" not in answer.content


def test_who_and_which_study_are_stand_ins_that_stay_the_same(film: Path) -> None:
    before, after = pydicom.dcmread(film), cleaned(film)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert after[keyword].value == STAND_INS.uid(str(before[keyword].value)) != before[keyword].value
    assert after.PatientID == str(after.PatientName) == STAND_INS.patient("P-4711")
    assert Pseudonyms(key=b"other" * 7).patient("P-4711") != after.PatientID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.pixel_array.tobytes() == before.pixel_array.tobytes()


def test_references_in_sequences_follow_their_images(film: Path) -> None:
    other = generate_uid()
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", other

    def refer(dataset: Dataset) -> None:
        dataset.DerivationImageSequence = Sequence([item])

    assert cleaned(changed(film, refer)).DerivationImageSequence[0].ReferencedSOPInstanceUID == (
        STAND_INS.uid(str(other))
    )


def test_the_object_says_what_was_done(film: Path) -> None:
    said = cleaned(film, Option.PATIENT)
    assert said.PatientIdentityRemoved == "YES"
    assert [item.CodeValue for item in said.DeidentificationMethodCodeSequence] == ["113100", "113108"]
    assert said.LongitudinalTemporalInformationModified == "REMOVED"


def test_only_a_person_says_that_nothing_stands_in_the_picture(film: Path) -> None:
    def unsaid(dataset: Dataset) -> None:
        del dataset.BurnedInAnnotation

    changed(film, unsaid)
    assert "BurnedInAnnotation" not in cleaned(film)
    assert cleaned(film, looked_at=True).BurnedInAnnotation == "NO"


def test_age_and_sex_stay_only_when_asked_for_and_the_very_old_are_not_told_apart(film: Path) -> None:
    def old(dataset: Dataset) -> None:
        dataset.PatientAge, dataset.PatientSex = "097Y", "F"

    changed(film, old)
    assert not cleaned(film).get("PatientAge")
    assert not cleaned(film).get("PatientSex")
    kept = cleaned(film, Option.PATIENT)
    assert (kept.PatientAge, kept.PatientSex) == ("090Y", "F")


def test_dates_of_a_patient_move_together_and_not_by_nothing(film: Path) -> None:
    def days(dataset: Dataset) -> None:
        dataset.StudyDate, dataset.SeriesDate, dataset.StudyTime = "20260310", "20260312", "101500"
        dataset.AcquisitionDateTime = "20260310101500.000"
        dataset.PatientBirthDate = "19700101"

    changed(film, days)
    assert cleaned(film).StudyDate in {"", NO_DAY}
    moved = cleaned(film, Option.DATES)
    study, series = (pydicom.valuerep.DA(moved[keyword].value) for keyword in ("StudyDate", "SeriesDate"))
    original = pydicom.valuerep.DA("20260310")
    assert study is not None
    assert series is not None
    assert original is not None
    assert (series - study).days == 2
    assert 1 <= (original - study).days <= LONGEST_SHIFT_DAYS
    assert str(moved.AcquisitionDateTime).startswith(str(moved.StudyDate))
    assert moved.PatientBirthDate in {"", NO_DAY}
    assert moved.LongitudinalTemporalInformationModified == "MODIFIED"


def test_a_name_in_a_text_that_the_table_keeps_stops_the_file(film: Path) -> None:
    def wrong_place(dataset: Dataset) -> None:
        dataset.Manufacturer = "Acme for Quetzalcoatl, Xochitl"
        dataset.PatientName = "QUETZALCOATL^XOCHITL"

    with pytest.raises(InputError, match="left in Manufacturer") as refused:
        cleaned(changed(film, wrong_place))
    assert "quetzal" not in str(refused.value).lower()


def test_what_is_no_image_is_refused(tmp_path: Path, film: Path) -> None:
    dataset = pydicom.dcmread(film)
    del dataset.PixelData
    dataset.save_as(tmp_path / "report.dcm")
    with pytest.raises(InputError, match="is no image"):
        cleaned(tmp_path / "report.dcm")


def test_the_key_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "deidentification.key"
    first = pseudonyms_of(file)
    assert pseudonyms_of(file) == first
    assert file.stat().st_mode & 0o077 == 0
    assert len(first.key) == 32
