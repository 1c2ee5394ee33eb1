# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the name of a protocol says: body part, side, views. Unknown where it is not clear. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.worklist import DEFAULT_PROTOCOLS, ProtocolSettings

_RIGHT: Final = re.compile(r"\b(RIGHT|RT|DROITE?|DERECH[OA]|DIREIT[OA]|RECHTS?)\b")
_LEFT: Final = re.compile(r"\b(LEFT|LT|GAUCHE|IZQUIERD[OA]|ESQUERD[OA]|LINKS?)\b")
_BOTH: Final = re.compile(r"\b(BILAT(ERAL)?|BOTH|BILATERALE?S?)\b")
_LETTER: Final = re.compile(r"\b([RL])\b(?![- ]?S?[- ]?SPINE)")
"""A lone letter is a side for a limb; in "L SPINE" it is none."""
_COUNT: Final = re.compile(r"\b(?P<digit>[1-9]) ?(?:V|VW|VIEWS?)\b|\b(?P<word>ONE|TWO|THREE|FOUR) VIEWS?\b")
_AT_LEAST: Final = re.compile(r"(OR MORE|MIN(IMUM)?|AT LEAST|\+)")
"""After "2 views or more" nobody knows how many come."""
_NUMBERS: Final = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4}
_PAIRED: Final = frozenset(
    (
        *("WRIST", "HAND", "FINGER", "THUMB", "FOREARM", "ELBOW", "HUMERUS", "SHOULDER", "CLAVICLE"),
        *("SCAPULA", "HIP", "FEMUR", "KNEE", "PATELLA", "LOWLEG", "ANKLE", "FOOT", "TOE", "CALCANEUS"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an order asks for, as far as its words tell."""

    body_part: str | None
    laterality: str | None
    views: tuple[str, ...]
    view_count: int | None
    sure: bool


def meaning_of(
    *, codes: Sequence[str], descriptions: Sequence[str], protocols: tuple[ProtocolSettings, ...]
) -> Meaning:
    """By the site's rows, then by those of this software. The order's own number of views wins."""
    code, words = " ".join(codes).upper(), " ; ".join(descriptions).upper().replace("_", " ")
    text = f"{code} | {words}"
    row = next((each for each in (*protocols, *DEFAULT_PROTOCOLS) if re.search(each.pattern, text)), None)
    part = row.body_part.upper() if row else None
    views = tuple(view.upper() for view in row.views) if row else ()
    count = _count(words)
    if count is not None and count != len(views):
        views = ()  # how many is known, and not which
    return Meaning(
        body_part=part,
        laterality=(row.laterality if row else "") or _side(words, is_paired=part in _PAIRED),
        views=views,
        view_count=count if count is not None else len(views) or None,
        sure=row is not None and row.sure and bool(views),
    )


def _side(words: str, *, is_paired: bool) -> str | None:
    right, left = bool(_RIGHT.search(words)), bool(_LEFT.search(words))
    if is_paired and not (right or left):
        letters = set(_LETTER.findall(words))
        right, left = "R" in letters, "L" in letters
    if _BOTH.search(words) or (right and left):
        return "B"
    return "R" if right else "L" if left else None


def _count(words: str) -> int | None:
    found = {
        int(hit["digit"]) if hit["digit"] else _NUMBERS[hit["word"]]
        for hit in _COUNT.finditer(words)
        if not _AT_LEAST.search(words)
    }
    return found.pop() if len(found) == 1 else None
