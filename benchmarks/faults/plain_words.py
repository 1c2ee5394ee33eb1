# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Is a reason one that a person understands? It says what to do, and no word of a programming language."""

from __future__ import annotations

import re
from typing import Final

from appliance.errors import ScansideError

MACHINE_WORDS: Final = re.compile(
    r"\b\w+(?:Error|Exception|Warning)\b|\bException\b|Traceback|NoneType"
    r"|\b(?:is|was|not|got|be|of) None\b|<class|<function|<module"
    r"|' object\b|\bobject has no\b"
    r"|\bnot (?:subscriptable|iterable)\b|\bstruct\b|\bunpack (?:requires|expected)"
    r"|\bself\.|__\w+__|\b0x[0-9a-f]{6,}\b|\bcodec can't\b|\bpydicom\b|\bnumpy\b|\bdataclass\b|\bNaN\b"
)
"""What a library says to a programmer."""
SHORTEST_WORDS: Final = 3
"""Fewer words than this say neither what happened nor what to do."""
LONGEST_CHARACTERS: Final = 700
"""More than this is no reason, it is a log. The longest of ours tells of five rows of a table."""


def faults_of(what: str | None, remedy: str | None) -> list[str]:
    """What is wrong with a reason and its remedy; empty when a person can use it."""
    if not what or len(what.split()) < SHORTEST_WORDS:
        return ["it says nothing"]
    found = []
    if not remedy or len(remedy.split()) < SHORTEST_WORDS:
        found.append("it does not say what to do")
    whole = f"{what} {remedy or ''}"
    if len(whole) > LONGEST_CHARACTERS:
        found.append(f"it has {len(whole)} characters")
    match = MACHINE_WORDS.search(whole)
    if match is not None:
        found.append(f"it speaks to a programmer: {match[0]!r}")
    if any(not sign.isprintable() for sign in whole):
        found.append("it holds signs that cannot be seen")
    return found


def faults_of_error(error: ScansideError) -> list[str]:
    """The same of one of our own errors."""
    return faults_of(error.what, error.remedy)
