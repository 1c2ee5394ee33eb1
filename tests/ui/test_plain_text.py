# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.plain_text import LONGEST_TEXT, initials, person_name, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DOE", "DOE"),
        ("a\nb", "a[U+000A]b"),
        ("a\x00b", "a[U+0000]b"),
        ("SMITH\u202egnp.exe", "SMITH[U+202E]gnp.exe"),
        ("\u2066x\u2069", "[U+2066]x[U+2069]"),
        ("a\u200bb", "a[U+200B]b"),
        ("a\u00a0b", "a b"),
        ("\ufeffx", "[U+FEFF]x"),
        ("\u3164", "[U+3164]"),
        ("<b>x</b>", "<b>x</b>"),
        ("न्‍य", "न्‍य"),  # a joiner inside a Hindi word belongs there
        ("a\u200db", "a[U+200D]b"),  # between Latin letters it does not
        (None, ""),
    ],
)
def test_hidden_characters_become_marks(text: str | None, shown: str) -> None:
    assert visible(text) == shown


def test_a_flood_of_combining_marks_is_broken() -> None:
    assert visible("e" + "\u0301" * 6) == "e" + "\u0301" * 4 + "[U+0301][U+0301]"


def test_long_text_ends_in_an_ellipsis() -> None:
    shown = visible("x" * 1000)
    assert len(shown) == LONGEST_TEXT
    assert shown.endswith("…")
    assert visible("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT


# Trace: REQ-035
@given(st.text(max_size=200))
def test_nothing_shown_can_move_other_text_or_hide(text: str) -> None:
    shown = visible(text)
    assert len(shown) <= LONGEST_TEXT
    for character in shown:
        if character not in "\u200c\u200d":
            assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("MWANGI^Grace", "MWANGI, Grace"),
        ("DOE^John^Quincy^Dr^Jr", "DOE, John Quincy Dr Jr"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou (山田, 太郎)"),
        ("=山田^太郎", "山田, 太郎"),
        ("SINGLE", "SINGLE"),
        ("^OnlyGiven", "OnlyGiven"),
        ("", "Name not given"),
        ("^^^^", "Name not given"),
        (None, "Name not given"),
        ("DOE^J<img src=/etc/passwd>", "DOE, J<img src (/etc/passwd>)"),
    ],
)
def test_person_names(name: str | None, shown: str) -> None:
    assert person_name(name) == shown


def test_initials() -> None:
    assert initials("MWANGI, Grace") == "M. G."
    assert initials("123") == "-"
