# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from appliance.settings_for_people import KioskSettings
from ui.__main__ import LanguageCode
from ui.language import LANGUAGES, RIGHT_TO_LEFT, apart, in_english, language, noted, tr, tr_n, use_language
from ui.wording import duration, ordinal

UI = Path(__file__).parents[2] / "ui"
CATALOGUES = [code for code in LANGUAGES if code != "en"]
SAYS = {"tr": 1, "noted": 1, "tr_n": 2}
"""Functions of the door, and how many of their first arguments are texts."""
SHOWS = frozenset({"PlainLabel", "ElidedLabel", "setText", "show_text", "setAccessibleName", "QPushButton"})
PLACE = re.compile(r"{\w*}")


def texts_in(source: str) -> Iterator[tuple[str, ...]]:
    """The texts of every call of the door that has them word by word."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYS:
            given = node.args[: SAYS[node.func.id]]
            texts = tuple(a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str))
            if texts and len(texts) == len(given):
                yield texts


def past_the_door(source: str) -> list[str]:
    """Literal words that are given to a label or a button without `tr`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in SHOWS:
            continue
        texts = node.args[1:] if name in {"PlainLabel", "ElidedLabel"} else node.args[:1]
        found += [
            f"line {node.lineno}: {text.value!r}"
            for text in texts
            if isinstance(text, ast.Constant)
            and isinstance(text.value, str)
            and re.search("[a-z]", text.value)
        ]
    return found


@pytest.fixture(scope="module")
def said() -> set[tuple[str, ...]]:
    return {
        texts
        for file in sorted(UI.glob("**/*.py"))
        if file.name != "language.py"
        for texts in texts_in(file.read_text(encoding="utf-8"))
    }


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    use_language("en")


def catalogue(code: str) -> Catalog:
    with (UI / "locale" / code / "LC_MESSAGES" / "kiosk.po").open("rb") as file:
        return read_po(file, locale=code)


def test_the_reader_of_sources_finds_what_it_should() -> None:
    source = 'a = tr("One {x}", x=1)\nb = tr_n("1", "{count}", 2)\nc = noted("Two")\nd = tr(c)\n'
    assert sorted(texts_in(source)) == [("1", "{count}"), ("One {x}",), ("Two",)]
    shown = 'x.setText("Hello")\nPlainLabel("role", "There")\nx.setText(tr("Fine"))\n'
    assert len(past_the_door(shown)) == 2


def test_no_words_go_past_the_door() -> None:
    found = {
        file.name: lines
        for file in sorted(UI.glob("**/*.py"))
        if (lines := past_the_door(file.read_text(encoding="utf-8")))
    }
    assert found == {}, "say these through tr(...)"


@pytest.mark.parametrize("code", CATALOGUES)
def test_every_sentence_is_translated(said: set[tuple[str, ...]], code: str) -> None:
    assert len(said) > 200
    known = catalogue(code)
    missing = []
    for texts in sorted(said):
        entry = known.get(texts[0])
        strings = () if entry is None else entry.string if len(texts) > 1 else (entry.string,)
        if not strings or not all(strings):
            missing.append(texts[0])
    assert missing == [], f"translate these in ui/locale/{code} (make catalogues lists them there)"


@pytest.mark.parametrize("code", CATALOGUES)
def test_nothing_in_a_catalogue_is_left_over_or_unsure(said: set[tuple[str, ...]], code: str) -> None:
    known = catalogue(code)
    firsts = {texts[0] for texts in said}
    entries = [entry for entry in known if entry.id]
    ids = [entry.id if isinstance(entry.id, str) else entry.id[0] for entry in entries]
    assert sorted(set(ids) - firsts) == [], "no file says these any more: make catalogues"
    assert [entry.id for entry in entries if entry.fuzzy] == []
    assert "NOT REVIEWED" in known.header_comment


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_translation_has_the_places_of_its_original(code: str) -> None:
    wrong = []
    for entry in catalogue(code):
        ids = (entry.id,) if isinstance(entry.id, str) else entry.id
        strings = (entry.string,) if isinstance(entry.string, str) else entry.string
        wanted = sorted(PLACE.findall(ids[-1]))
        if entry.id:
            wrong += [text for text in strings if sorted(PLACE.findall(text)) != wanted and text != ""]
    one_needs_no_count = [text for text in wrong if "{" in text]
    assert one_needs_no_count == []
    assert all(
        not isinstance(entry.id, str) for entry in catalogue(code) if entry.id and entry.string in wrong
    )


@pytest.mark.parametrize("code", CATALOGUES)
def test_what_is_shipped_is_compiled_from_what_is_written(code: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(code))
    shipped = UI / "locale" / code / "LC_MESSAGES" / "kiosk.mo"
    assert shipped.read_bytes() == compiled.getvalue(), "make catalogues"


def test_the_languages_are_the_same_everywhere() -> None:
    settings = get_args(KioskSettings.model_fields["language"].annotation)
    assert list(settings) == list(LANGUAGES) == [code.value for code in LanguageCode]
    assert sorted(folder.name for folder in (UI / "locale").iterdir()) == sorted(CATALOGUES)
    assert set(LANGUAGES) > RIGHT_TO_LEFT


def test_words_change_with_the_language_and_come_back() -> None:
    assert tr("YES") == "YES"
    use_language("fr")
    assert (language(), tr("YES")) == ("fr", "OUI")
    assert tr_n("{count} day", "{count} days", 3) == "3 jours"
    with in_english():
        assert (language(), tr("YES")) == ("en", "YES")
    assert tr("YES") == "OUI"
    assert tr("Never written before.") == "Never written before."
    assert tr("") == ""
    assert noted("YES") == "YES"
    use_language("en")
    assert tr("YES") == "YES"


def test_english_comes_back_after_an_error() -> None:
    use_language("ar")
    with pytest.raises(ValueError, match="x"), in_english():
        raise ValueError("x")
    assert language() == "ar"


def test_foreign_text_keeps_its_direction_where_sentences_run_to_the_left() -> None:
    assert apart("DOE") == "DOE"
    use_language("ar")
    assert apart("DOE") == "\u2068DOE\u2069"
    assert apart("") == ""
    assert "\u20681991-04-12\u2069" in tr("born {date}", date="1991-04-12")
    assert "\u20683\u2069" in tr_n("{count} day", "{count} days", 3)


def test_places_and_times_without_english_endings() -> None:
    assert (ordinal(2), duration(3700)) == ("2nd", "1 h 01")
    use_language("sw")
    assert (ordinal(2), duration(3700)) == ("2.", "saa 1 dk 01")
    assert duration(42) == "0:42"
