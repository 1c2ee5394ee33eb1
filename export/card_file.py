# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A model card as the TOML file that a bundle holds."""

from __future__ import annotations

from typing import Any, Final

import tomli_w

from appliance.domain.card import ModelCard
from appliance.domain.record import to_plain

DIGITS: Final = 6
"""Of a number on a card: finer than any interval that stands beside it."""


def card_toml(card: ModelCard) -> str:
    """The text of `card.toml`. What is unknown is left out: TOML has no word for None."""
    return tomli_w.dumps(_told(to_plain(card)))


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _told(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_told(item) for item in value]
    return round(value, DIGITS) if isinstance(value, float) else value
