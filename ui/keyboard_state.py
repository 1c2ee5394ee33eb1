# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the on-screen keyboard: all at once where fingers have room, else by the page. No Qt.

A key is as large as everything that a finger is meant to hit, so a 7 inch panel has room for three rows of
seven. Addresses, AE titles and folders are ASCII; nothing else is ever entered.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Letters(Enum):
    """What a field takes, and so with which keys its keyboard begins."""

    DIGITS = "digits"
    LARGE = "large"
    """AE titles: capitals."""
    SMALL = "small"
    """Addresses and folders."""
    WORDS = "words"
    """A name: a capital, then small ones."""


ROWS: Final = ("1234567890", "qwertyuiop", "asdfghjkl-", "zxcvbnm._/")
"""Where there is room for ten columns, and four rows between text and last row."""
LAST_ROW: Final = ":"
"""What has no place above."""
NARROW_COLUMNS: Final = 7
WIDE_MM: Final = (183.0, 111.0)
"""Width and height that the wide one needs: keys of 15 mm, 3 mm apart, 3 mm from the edges."""
_IN_ORDER: Final = "abcdefghijklmnopqrstuvwxyz"
_NARROW: Final = ("1234567890.-:/", _IN_ORDER[:13] + "_", _IN_ORDER[13:] + ".")
"""Two rows of seven each; the third row has the keys that do something."""
_DIGIT_ROWS: Final = ("1234567", "890")


def rows_of(letters: Letters, *, wide: bool, page: int, capitals: bool) -> tuple[str, ...]:
    """The characters of each row. `page`: of a narrow keyboard, in the order of `page_names`."""
    if letters is Letters.DIGITS:
        return ("1234567890",) if wide else _DIGIT_ROWS
    if wide:
        rows: tuple[str, ...] = ROWS
    else:
        whole = _NARROW[page]
        rows = tuple(whole[at : at + NARROW_COLUMNS] for at in range(0, len(whole), NARROW_COLUMNS))
    return tuple(row.upper() if capitals else row for row in rows)


def last_row(letters: Letters, *, wide: bool) -> str:
    """Characters beside the keys that do something."""
    return LAST_ROW if wide and letters is not Letters.DIGITS else ""


def page_names(letters: Letters, *, wide: bool) -> tuple[str, ...]:
    """What the keys say that turn to each page; () where there is only one."""
    if wide or letters is Letters.DIGITS:
        return ()
    return ("123", "A-M", "N-Z")


def first_page(letters: Letters, text: str) -> int:
    """An address mostly begins with a digit, a title and a name with a letter."""
    return 0 if letters is Letters.SMALL and (not text or not text[-1].isalpha()) else 1


def begins_with_capitals(letters: Letters, text: str) -> bool:
    """Whether the next letter is one."""
    return letters is Letters.LARGE or (letters is Letters.WORDS and (not text or text.endswith(" ")))


def takes_blank(letters: Letters) -> bool:
    """Whether there is a key for a blank."""
    return letters in {Letters.LARGE, Letters.WORDS}


def takes_case(letters: Letters) -> bool:
    """Whether there is a key for capitals."""
    return letters in {Letters.SMALL, Letters.WORDS}
