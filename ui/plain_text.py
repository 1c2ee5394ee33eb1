# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Foreign text made safe to show: what a header says appears as characters, never as behaviour.

A name may carry line feeds, right-to-left overrides or invisible characters that change what a reader
sees. They are shown as marks such as [U+202E]; nothing is silently dropped but the tail, which ends in "…".
"""

from __future__ import annotations

import unicodedata
from typing import Final

from ui.language import tr

LONGEST_TEXT: Final = 64
"""Characters of one DICOM text on the screen: LO and the PN component group hold at most 64 (PS3.5 6.2)."""
LONGEST_SENTENCE: Final = 240
"""Characters of a reason or advice: our own sentences are far shorter."""
MOST_COMBINING_MARKS: Final = 4
"""Marks stacked on one letter: no living script needs more; a flood of them paints over other lines."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Zero-width (non-)joiners: needed inside Indic and Persian words, hidden content anywhere else."""
_INVISIBLE_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Fillers that Unicode calls letters or symbols and every font draws as nothing."""
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (with all bidi controls), surrogate, private, unassigned, line and paragraph ends."""


def visible(text: str | None, *, limit: int = LONGEST_TEXT) -> str:
    """`text` with every hidden character shown as a mark, at most `limit` characters; "" for None."""
    if text is None:
        return ""
    shown: list[str] = []
    length = 0
    stacked = 0
    for index, character in enumerate(text):
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        piece = character
        if stacked > MOST_COMBINING_MARKS or _is_hidden(text, index):
            piece = f"[U+{ord(character):04X}]"
        elif character.isspace():
            piece = " "
        length += len(piece)
        if length > limit:
            return "".join(shown).rstrip()[: limit - 1] + "…"
        shown.append(piece)
    return "".join(shown).strip()


def person_name(patient_name: str | None) -> str:
    """A DICOM person name (VR PN) as "FAMILY, Given Middle (ideographic)"; the phonetic group is left out.

    Groups are separated by "=", the parts of one (family^given^middle^prefix^suffix) by "^".
    """
    alphabetic, _, rest = (patient_name or "").partition("=")
    names = [name for name in (_one_group(alphabetic), _one_group(rest.partition("=")[0])) if name]
    if not names:
        return tr("Name not given")
    return visible(names[0] if len(names) == 1 else f"{names[0]} ({names[1]})")


def _one_group(group: str) -> str:
    family, _, rest = group.partition("^")
    given = " ".join(part.strip() for part in rest.split("^") if part.strip())
    return f"{family.strip()}, {given}" if family.strip() and given else family.strip() or given


def initials(shown_name: str) -> str:
    """The first letter of each part, for a screen that nobody has touched for a while."""
    return (
        " ".join(f"{part[0]}." for part in shown_name.replace(",", " ").split() if part[0].isalpha()) or "-"
    )


def _is_hidden(text: str, index: int) -> bool:
    character = text[index]
    if character in _JOINERS:
        return not (_is_joined(text, index - 1) and _is_joined(text, index + 1))
    return character in _INVISIBLE_LETTERS or unicodedata.category(character) in _HIDDEN_CATEGORIES


def _is_joined(text: str, index: int) -> bool:
    """A letter or sign of a script that uses joiners stands there."""
    return 0 <= index < len(text) and text[index] > "\u05ff" and unicodedata.category(text[index])[0] in "LM"
