# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A model card as the TOML file that a bundle holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import tomli_w

from appliance.domain.card import ModelCard
from appliance.domain.record import from_plain, to_plain
from appliance.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DIGITS: Final = 6
"""Of a number on a card: finer than any interval that stands beside it."""


def card_toml(card: ModelCard) -> str:
    """The text of `card.toml`. What is unknown is left out: TOML has no word for None."""
    return tomli_w.dumps(_told(to_plain(card)))


def read_card(path: Path) -> ModelCard:
    """A card that somebody wrote. Raises InputError naming the key that is missing, unknown or wrong."""
    try:
        return from_plain(ModelCard, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(
            f"The card {path} cannot be read: {error.strerror}.", remedy="Check the path given with --card."
        ) from error
    except ValueError as error:  # of TOML, of UTF-8 and of the card's own fields
        raise InputError(
            f"{path.name} is not a model card: {error}.",
            remedy="Mend the line that is named; appliance/models_shipped holds cards to look at.",
        ) from error


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _told(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_told(item) for item in value]
    return round(value, DIGITS) if isinstance(value, float) else value
