# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Texts of others in a table that somebody opens with a spreadsheet: none of them is run as a formula."""

from __future__ import annotations

from typing import Final

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins; and the wide forms that some spreadsheets take for the same signs."""


def inert(text: str) -> str:
    """The text with a single quote before it where it begins like a formula, after blanks too.

    OWASP ASVS 5.0, 1.2.10 (CWE-1236).
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) or text.lstrip().startswith(FORMULA_SIGNS) else text
