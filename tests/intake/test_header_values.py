# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Values out of headers: valid or None, and text that is safe to show."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from appliance.intake.header_values import (
    LONGEST_TEXT,
    REPLACEMENT,
    age_years,
    clean,
    day,
    number,
    numbers,
    spacing,
    texts,
    uid,
    whole_number,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom objects to most of these values


def test_what_could_hide_or_reorder_text_is_marked() -> None:
    assert clean("DOE\nJOHN") == f"DOE{REPLACEMENT}JOHN"
    assert clean("\u202eEOD^NHOJ") == f"{REPLACEMENT}EOD^NHOJ"
    assert clean("  Müller^\u56fe\u50cf \0") == "Müller^\u56fe\u50cf"
    assert clean("\u0645\u06cc\u200c\u062e") == "\u0645\u06cc\u200c\u062e"
    assert clean(" \0 ") is None


@settings(max_examples=60)
@given(st.text(max_size=150))
def test_clean_text_is_short_and_shows_everything(text: str) -> None:
    found = clean(text)
    if found is None:
        return
    assert 0 < len(found) <= LONGEST_TEXT
    assert found.isprintable() or any(sign in found for sign in "\u200c\u200d \u3000\xa0") or " " in found
    assert not set(found) & set("\n\r\t\0\x1b\u202e\u2066\u2028\ufeff")


def test_long_text_ends_with_an_ellipsis() -> None:
    found = clean("x" * 10_000)
    assert found is not None
    assert len(found) == LONGEST_TEXT
    assert found.endswith("\N{HORIZONTAL ELLIPSIS}")


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("034Y", 34.0),
        ("006M", 0.5),
        ("012W", 12 * 7 / 365.25),
        ("010D", 10 / 365.25),
        ("ABCD", None),
        ("999Y", None),
        ("34", None),
    ],
)
def test_ages(written: str, years: float | None) -> None:
    dataset = Dataset()
    dataset.PatientAge = written
    assert age_years(dataset, None) == (None if years is None else pytest.approx(years))


def test_age_from_birth_date() -> None:
    dataset = Dataset()
    dataset.PatientBirthDate = "19800229"
    assert age_years(dataset, date(2026, 2, 28)) == pytest.approx(46.0, abs=0.01)
    assert age_years(dataset, date(1979, 1, 1)) is None
    assert age_years(dataset, None) is None
    dataset.PatientAge = "020Y"
    assert age_years(dataset, date(2026, 2, 28)) == 20.0


@pytest.mark.parametrize("written", ["20201399", "2020", "", "notadate", "20200230"])
def test_dates_outside_the_calendar_are_unknown(written: str) -> None:
    dataset = Dataset()
    dataset.StudyDate = written
    assert day(dataset, "StudyDate") is None


@pytest.mark.parametrize("written", ["1.2.3", "0", "1" * 64])
def test_identifiers(written: str) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = written
    assert uid(dataset, "SOPInstanceUID") == written


@pytest.mark.parametrize("written", ["", "1" * 65, "../x", "1.2.a", "1 2", "1.2\\3"])
def test_unsafe_identifiers_are_none(written: str) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = written
    assert uid(dataset, "SOPInstanceUID") is None


def test_numbers_are_finite_or_unknown() -> None:
    dataset = Dataset()
    dataset.KVP = "inf"
    dataset.PixelSpacing = ["0.5", "0"]
    dataset.ImagerPixelSpacing = ["0.1", "0.2"]
    dataset.InstanceNumber = "7"
    dataset.Rows = 5
    assert number(dataset, "KVP") is None
    assert spacing(dataset, "PixelSpacing") is None
    assert spacing(dataset, "ImagerPixelSpacing") == (0.1, 0.2)
    assert whole_number(dataset, "InstanceNumber") == 7
    assert numbers(dataset, "ImageOrientationPatient") == ()
    dataset.add_new("SliceThickness", "LO", "thick")
    assert number(dataset, "SliceThickness") is None


def test_many_values_are_cut_to_a_few() -> None:
    dataset = Dataset()
    dataset.ImageType = [f"V{index}" for index in range(1000)]
    assert len(texts(dataset, "ImageType")) == 16
