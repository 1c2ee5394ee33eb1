# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The cards of the triage models that answer on an appliance, for commands about their thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from appliance.config import load_settings
from appliance.domain.card import Label, ModelCard
from appliance.errors import ConfigError
from appliance.layout import Layout
from appliance.pipeline.shadowing import shadowable_tasks
from appliance.processes.models import kept_passports, open_registry


def triage_cards(config: Path | None, layout: Layout) -> tuple[ModelCard, ...]:
    """Cards of the models whose findings are decided at an operating point, by task; nothing is loaded."""
    with open_registry(load_settings(config), kept_passports(layout), layout=layout) as registry:
        cards = [card for task in registry.tasks() if (card := registry.card(task)) is not None]
    asked = set(shadowable_tasks(cards))
    return tuple(card for card in cards if card.task in asked and card.labels)


def label_of(cards: Iterable[ModelCard], *, task: str, code: str) -> tuple[ModelCard, Label]:
    """The label of that code. Raises ConfigError that names what there is."""
    known = [(card, label) for card in cards for label in card.labels]
    for card, label in known:
        if card.task == task and label.code.value == code:
            return card, label
    there = "; ".join(f"{card.task} {label.code.value} ({label.code.meaning})" for card, label in known)
    raise ConfigError(
        f"No installed model has the finding {code} for the task {task}.",
        remedy=f"There are: {there or 'none'}. See: scanside threshold show",
    )
