# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Words that a person gives on the command line and that a ledger keeps."""

from __future__ import annotations

from typing import Final

from appliance.errors import ConfigError

LONGEST_WORDS: Final = 500
"""Of a name or a reason: a sentence or two, not a file."""


def one_line(given: str, option: str) -> str:
    """Without blanks around or doubled. Raises ConfigError that names the option."""
    kept = " ".join(given.split())
    if not kept or len(kept) > LONGEST_WORDS or not kept.isprintable():
        raise ConfigError(
            f"{option} needs words: 1 to {LONGEST_WORDS} characters on one line.",
            remedy="Say it in a sentence: the ledger keeps it.",
        )
    return kept
