# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Single values out of a header that anybody may have written: valid, or None.

Nothing here raises for what a file says. Text comes back fit for a screen: what could hide or reorder
other text is replaced by a visible mark, and nothing is longer than its place.
"""

from __future__ import annotations

import math
import re
import struct
import unicodedata
from datetime import date
from functools import cache
from typing import Any, Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.tag import BaseTag, Tag

VALUE_FAULTS: Final = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    struct.error,
    BytesLengthException,
)
"""What reading one damaged element raises in pydicom 3 (found by fuzzing); the element counts as absent."""

LONGEST_TEXT: Final = 64
"""Characters of a value of VR LO, the longest of those shown (PS3.5 table 6.2-1)."""
LONGEST_NAME: Final = 128
"""A PatientName may have 3 x 64 characters; more than two groups of it never fit on a screen."""
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
_JOINERS: Final = "\u200c\u200d"
"""Zero-width joiners are part of correct spelling in Persian and in Indian scripts."""

_UID: Final = re.compile(r"[0-9.]{1,64}")
_AGE: Final = re.compile(r"(\d{1,3})([YMWD])")
_YEARS_PER_UNIT: Final = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_DAYS_PER_YEAR: Final = 365.25
OLDEST_YEARS: Final = 130.0
"""An age above this is a typing error, so unknown; the oldest known person reached 122."""


@cache
def _tag(keyword: str) -> BaseTag:
    """Looking elements up by tag is five times faster than by keyword."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return Tag(tag)


def raw_value(dataset: Dataset, keyword: str) -> Any:
    """The value of an element as pydicom gives it, or None where absent, empty or unreadable."""
    try:
        element: Any = dataset.get(_tag(keyword))
    except VALUE_FAULTS:
        return None
    value = None if element is None else element.value
    if value is None or (isinstance(value, str) and not value):
        return None
    return value


def clean(text: str, limit: int = LONGEST_TEXT) -> str | None:
    """Text fit for a screen: one line, controls and direction marks made visible, at most `limit` long."""
    marked = "".join(
        REPLACEMENT if unicodedata.category(sign) in _UNSAFE and sign not in _JOINERS else sign
        for sign in text[: 4 * limit].strip(" \t\r\n\x00")
    ).strip()
    if not marked:
        return None
    return marked if len(marked) <= limit else marked[: limit - 1] + _ELLIPSIS


_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: controls, format (bidi overrides, zero width), surrogates, private, separators."""


def text(dataset: Dataset, keyword: str, limit: int = LONGEST_TEXT) -> str | None:
    """The first value of an element as clean text."""
    values = texts(dataset, keyword, limit)
    return values[0] if values else None


def texts(dataset: Dataset, keyword: str, limit: int = LONGEST_TEXT) -> tuple[str, ...]:
    """All values of an element as clean text, empty ones left out; at most 16."""
    value = raw_value(dataset, keyword)
    if value is None:
        return ()
    several = value if isinstance(value, (list, tuple)) or hasattr(value, "append") else (value,)
    try:
        cleaned = [clean(str(one), limit) for one in list(several)[:16]]
    except VALUE_FAULTS:
        return ()
    return tuple(one for one in cleaned if one is not None)


def word(dataset: Dataset, keyword: str) -> str | None:
    """A code string: clean, upper case."""
    value = text(dataset, keyword)
    return value.upper() if value else None


def uid(dataset: Dataset, keyword: str) -> str | None:
    """A unique identifier, or None where it is absent or anything but digits and dots."""
    value = raw_value(dataset, keyword)
    if value is None:
        return None
    stripped = str(value).strip(" \x00")
    return stripped if _UID.fullmatch(stripped) else None


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All values of a numeric element; empty where one of them is not a finite number."""
    value = raw_value(dataset, keyword)
    if value is None or isinstance(value, (bytes, str, Dataset)):
        return ()
    several = value if hasattr(value, "__len__") else (value,)
    try:
        found = tuple(float(one) for one in several)
    except VALUE_FAULTS:
        return ()
    return found if all(math.isfinite(one) for one in found) else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of a numeric element."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def whole_number(dataset: Dataset, keyword: str) -> int | None:
    """The first value of an element that counts something."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else None


def triple(dataset: Dataset, keyword: str) -> tuple[float, float, float] | None:
    """Three numbers, or None."""
    found = numbers(dataset, keyword)
    return (found[0], found[1], found[2]) if len(found) == 3 else None


def spacing(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    """Two positive numbers (row spacing, column spacing in mm), or None."""
    found = numbers(dataset, keyword)
    return (found[0], found[1]) if len(found) == 2 and min(found) > 0 else None


def item(dataset: Dataset, keyword: str, index: int = 0) -> Dataset | None:
    """One item of a sequence, or None."""
    try:
        sequence = raw_value(dataset, keyword)
        found = sequence[index] if sequence else None
    except VALUE_FAULTS:
        return None
    return found if isinstance(found, Dataset) else None


def day(dataset: Dataset, keyword: str) -> date | None:
    """A date (VR DA or the first half of DT), or None where it is not one of the calendar."""
    value = raw_value(dataset, keyword)
    digits = "" if value is None else str(value)[:8]
    if len(digits) != 8 or not digits.isdecimal():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def age_years(dataset: Dataset, acquired: date | None) -> float | None:
    """PatientAge ("034Y", "006M", "012W", "010D"), else the days from PatientBirthDate to `acquired`."""
    written = _AGE.fullmatch((word(dataset, "PatientAge") or "").strip())
    if written:
        years = int(written[1]) * _YEARS_PER_UNIT[written[2]]
        return years if years <= OLDEST_YEARS else None
    born = day(dataset, "PatientBirthDate")
    if born is None or acquired is None or acquired < born:
        return None
    years = (acquired - born).days / _DAYS_PER_YEAR
    return years if years <= OLDEST_YEARS else None
