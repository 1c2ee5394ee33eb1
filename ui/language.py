# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the screen in the language of the people at it. No Qt.

Every sentence that a person reads goes through `tr` (or `tr_n` where it counts something), in English; the
catalogues under `locale/` hold the others. The chosen language is this process's one global, as gettext's
own convention has it: sentences are made in pure functions that are called from everywhere.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LANGUAGES: Final = {
    "en": "English",
    "fr": "Français",
    "es": "Español",
    "pt": "Português",
    "hi": "हिन्दी",
    "sw": "Kiswahili",
    "ar": "العربية",
}
"""Code and own name of each language: the name is how somebody who reads no other finds it."""
RIGHT_TO_LEFT: Final = frozenset({"ar"})
_FOLDER: Final = Path(__file__).parent / "locale"
_DOMAIN: Final = "kiosk"


class _Chosen:
    code = "en"
    words: gettext.NullTranslations = gettext.NullTranslations()


def use_language(code: str) -> None:
    """Everything that is said from now on is said in `code`, one of LANGUAGES; English where it is silent."""
    _Chosen.words = gettext.translation(_DOMAIN, _FOLDER, languages=[code], fallback=True)
    _Chosen.code = code


def language() -> str:
    """The code of the language in use."""
    return _Chosen.code


@contextmanager
def in_english() -> Iterator[None]:
    """What is said inside is English: for what the store keeps, whoever is at the screen."""
    before = _Chosen.code, _Chosen.words
    _Chosen.code, _Chosen.words = "en", gettext.NullTranslations()
    try:
        yield
    finally:
        _Chosen.code, _Chosen.words = before


def noted(text: str) -> str:
    """`text` itself, marked for the catalogues: a word of a table, which `tr` says when it is used."""
    return text


def apart(text: str) -> str:
    """Foreign `text` (a name, an English original) that keeps its own direction inside an RTL sentence.

    U+2068 to U+2069 (first strong isolate, UAX 9); nothing in languages that run from left to right.
    """
    return f"\u2068{text}\u2069" if text and _Chosen.code in RIGHT_TO_LEFT else text


def tr(text: str, **values: object) -> str:
    """`text` in the chosen language, its {names} filled in afterwards, each kept apart."""
    said = _Chosen.words.gettext(text) if text else ""
    return said.format(**_apart(values)) if values else said


def tr_n(one: str, many: str, count: int, **values: object) -> str:
    """`one` or `many` for this `count`, which is {count} in the text."""
    return _Chosen.words.ngettext(one, many, count).format(**_apart({"count": count, **values}))


def _apart(values: dict[str, object]) -> dict[str, object]:
    return {name: apart(str(value)) for name, value in values.items()}
