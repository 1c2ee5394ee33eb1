# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What happens to each attribute: PS3.15 table E.1-1 as a library keeps it, and our choices where it has any.

An option only ever keeps attributes for which the table says K under that option; those that it wants cleaned
by a person (C) are removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from enum import Enum
from typing import Final, TypeAlias

from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions, keep, replace_UID
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from appliance.deidentification.pseudonyms import Pseudonyms

EDITION: Final = "dicomfields_2026c"
OLDEST_SAID_YEARS: Final = 89
"""Who is older is "90 or more": ages above it identify (45 CFR 164.514(b)(2)(i)(C))."""
Tag: TypeAlias = tuple[int, ...]
Rule: TypeAlias = Callable[[Dataset, Tag], None]


class Option(Enum):
    """Options of the profile, each with its code and meaning (PS3.16 CID 7050)."""

    PATIENT = ("113108", "Retain Patient Characteristics Option")
    DEVICE = ("113109", "Retain Device Identity Option")
    DATES = ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")


BASIC_PROFILE: Final = ("113100", "Basic Application Confidentiality Profile")
PATIENT_CHARACTERISTICS: Final = (
    "EthnicGroup",
    "PatientAge",
    "PatientSex",
    "PatientSexNeutered",
    "PatientSize",
    "PatientWeight",
    "PregnancyStatus",
    "SmokingStatus",
)
DEVICE_IDENTITY: Final = (
    "CassetteID",
    "DetectorID",
    "DeviceSerialNumber",
    "GantryID",
    "GeneratorID",
    "PlateID",
    "StationName",
)


def apply_profile(
    dataset: Dataset, pseudonyms: Pseudonyms, options: frozenset[Option], *, patient: str
) -> None:
    """Change `dataset` and everything nested in it. `patient`: the original PatientID."""
    rules = _StandIns(pseudonyms, patient).rules(options)
    for level in _levels(dataset):
        anonymize_dataset(
            level, extra_anonymization_rules=rules, delete_private_tags=True, base_rules_gen=_edition
        )


def _edition() -> dict[Tag, Rule]:
    rules: dict[Tag, Rule] = initialize_actions(EDITION)
    return rules


def _levels(dataset: Dataset) -> list[Dataset]:
    """The data set and every sequence item below it, the deepest first."""
    levels: list[Dataset] = []
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                levels += _levels(item)
    return [*levels, dataset]


class _StandIns:
    """The rules for one patient's images that the library leaves to its user."""

    def __init__(self, pseudonyms: Pseudonyms, patient: str) -> None:
        self._pseudonyms = pseudonyms
        self._patient = patient

    def rules(self, options: frozenset[Option]) -> dict[Tag, Rule]:
        table = _edition()
        rules: dict[Tag, Rule] = {tag: self._new_uid for tag, rule in table.items() if rule is replace_UID}
        rules |= dict.fromkeys((_tag("PatientID"), _tag("PatientName")), self._stand_in)
        if Option.PATIENT in options:
            rules |= {_tag(keyword): keep for keyword in PATIENT_CHARACTERISTICS}
            rules[_tag("PatientAge")] = _old_age_hidden
        if Option.DEVICE in options:
            rules |= {_tag(keyword): keep for keyword in DEVICE_IDENTITY}
        if Option.DATES in options:
            born = _tag("PatientBirthDate")
            rules |= {tag: self._moved for tag in table if tag != born and _is_moment(tag)}
        return rules

    def _new_uid(self, dataset: Dataset, tag: Tag) -> None:
        for element in _filled(dataset, tag):
            _change(element, self._pseudonyms.uid)

    def _stand_in(self, dataset: Dataset, tag: Tag) -> None:
        for element in _filled(dataset, tag):
            element.value = self._pseudonyms.patient(self._patient)

    def _moved(self, dataset: Dataset, tag: Tag) -> None:
        for element in _filled(dataset, tag):
            if element.VR != "TM":  # a time of day alone tells of nobody
                _change(element, self._moved_day)

    def _moved_day(self, moment: str) -> str:
        """A DA or DT with its day moved; empty where it cannot be read."""
        try:
            day = date(int(moment[:4]), int(moment[4:6]), int(moment[6:8]))
        except ValueError:
            return ""
        return self._pseudonyms.shifted(day, patient=self._patient).strftime("%Y%m%d") + moment[8:]


def _filled(dataset: Dataset, tag: Tag) -> Iterator[DataElement]:
    """The element of this tag, if it has a value."""
    number = BaseTag((tag[0] << 16) | tag[1])
    if number in dataset and not dataset[number].is_empty:
        yield dataset[number]


def _change(element: DataElement, how: Callable[[str], str]) -> None:
    """Change each value of an element."""
    if isinstance(element.value, MultiValue):
        element.value = [how(str(value)) for value in element.value]
    else:
        element.value = how(str(element.value))


def _tag(keyword: str) -> Tag:
    number = tag_for_keyword(keyword)
    assert number is not None  # a misspelt keyword is found by the first test
    return number >> 16, number & 0xFFFF


def _is_moment(tag: Tag) -> bool:
    try:
        return len(tag) == 2 and dictionary_VR((tag[0] << 16) | tag[1]) in {"DA", "DT", "TM"}
    except KeyError:  # not in the library's dictionary: the table's rule holds
        return False


def _old_age_hidden(dataset: Dataset, tag: Tag) -> None:
    for element in _filled(dataset, tag):
        number, unit = str(element.value)[:3], str(element.value)[3:]
        if not number.isdigit() or unit not in {"D", "W", "M", "Y"}:
            element.value = ""
        elif unit == "Y" and int(number) > OLDEST_SAID_YEARS:
            element.value = f"{OLDEST_SAID_YEARS + 1:03}Y"
