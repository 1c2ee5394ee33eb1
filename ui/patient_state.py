# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is on the screen and what was taken: always in the same place, nothing guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.domain.acquisition import Geometry, Kind
from appliance.store.board import BoardEntry
from ui.language import apart, noted, tr, tr_n
from ui.plain_text import person_name, visible

_SIDES: Final = {"R": noted("RIGHT"), "L": noted("LEFT"), "B": noted("BOTH SIDES")}
SHOWS_BOTH_SIDES: Final = frozenset(
    {"CHEST", "ABDOMEN", "PELVIS", "SKULL", "HEAD", "NECK", "SPINE", "CSPINE", "TSPINE", "LSPINE", "SSPINE"}
)
"""Body parts (PS3.16 annex L) that hold the left and the right: letters at the edges tell them apart. For a
hand or a knee they do not: there, only the header's laterality says which one it is."""
_IN_NAMES: Final = {"R": noted("right"), "L": noted("left")}
_OPPOSITE: Final = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
_AXES: Final = ("L", "P", "H")
"""Names of the positive axes of the patient coordinate system (PS3.3 C.7.6.2.1.1)."""
_SMALLEST_PART: Final = 0.3
"""A direction cosine below this (17 degrees off the plane) does not get a letter of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientState:
    """The line at the top of every picture."""

    name: str
    sex_age: str
    birth_date: str
    patient_id: str
    exam: str
    side: str
    """"RIGHT", "LEFT", "BOTH SIDES", "R/L given" (letters at the edges), or "side not given"."""
    side_given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLetters:
    """Which side of the patient each edge of the picture is on, as the header says."""

    left: str
    right: str
    top: str
    bottom: str


def patient_of(entry: BoardEntry) -> PatientState:
    """What the header says about patient and view."""
    header = entry.first
    patient = header.patient
    side = _SIDES.get(header.laterality or "")
    shows_both = entry.kind is Kind.VOLUME or header.body_part in SHOWS_BOTH_SIDES
    if side is None and shows_both and edge_letters(header.geometry) is not None:
        side = noted("R/L given")  # the letters at the edges of the picture say which is which
    return PatientState(
        name=person_name(patient.patient_name),
        sex_age=_sex_age(patient.patient_sex, patient.age_years),
        birth_date=_date(patient.patient_birth_date),
        patient_id=visible(patient.patient_id) or tr("ID not given"),
        exam=exam_name(entry),
        side=tr("side not given") if side is None else tr(side),
        side_given=side is not None,
    )


def exam_name(entry: BoardEntry) -> str:
    """Body part and view, or what there is instead: "Chest PA", "CT · 24 slices"."""
    header = entry.first
    part = visible(header.body_part).capitalize()
    if entry.kind is Kind.VOLUME:
        slices = tr_n("{count} slice", "{count} slices", entry.slice_count)
        return apart(f"{visible(header.modality)} {part}".strip()) + f" · {slices}"
    view = visible(header.view_position)
    side = tr(_IN_NAMES.get(header.laterality or "", ""))
    named = " ".join(word for word in (part, side, view) if word)
    return named or tr("{modality} image", modality=visible(header.modality))


def edge_letters(geometry: Geometry) -> EdgeLetters | None:
    """Letters for the four edges of the picture; None where the header does not say.

    From PatientOrientation, else from the direction cosines of ImageOrientationPatient (PS3.3 C.7.6.1.1.1).
    """
    right = bottom = ""
    if geometry.patient_orientation is not None:
        right, bottom = (_known_letters(text) for text in geometry.patient_orientation)
    elif geometry.image_orientation_patient is not None:
        cosines = geometry.image_orientation_patient
        right, bottom = _direction(cosines[:3]), _direction(cosines[3:])
    if not right or not bottom:
        return None
    return EdgeLetters(left=_opposite(right), right=right, top=_opposite(bottom), bottom=bottom)


def _known_letters(text: str) -> str:
    letters = text.strip().upper()
    return letters if letters and all(letter in _OPPOSITE for letter in letters) else ""


def _direction(cosines: tuple[float, ...]) -> str:
    by_size = sorted(zip(cosines, _AXES, strict=True), key=lambda pair: -abs(pair[0]))
    return "".join(
        axis if cosine > 0 else _OPPOSITE[axis] for cosine, axis in by_size if abs(cosine) >= _SMALLEST_PART
    )


def _opposite(letters: str) -> str:
    return "".join(_OPPOSITE[letter] for letter in letters)


def _sex_age(sex: str | None, age_years: float | None) -> str:
    if age_years is None:
        age = tr("age not given")
    elif age_years < 1:
        age = tr_n("{count} month", "{count} months", int(age_years * 12))
    else:
        age = tr("{years} y", years=int(age_years))
    shown_sex = visible(sex) or tr("sex not given")
    return f"{apart(shown_sex)} · {age}"


def _date(text: str | None) -> str:
    shown = visible(text)
    if len(shown) == 8 and shown.isdigit():
        return tr("born {date}", date=f"{shown[:4]}-{shown[4:6]}-{shown[6:]}")
    return tr("born {date}", date=shown) if shown else tr("birth date not given")
