# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The operating points of this site, at work: asked for before each answer, given back with a new release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog

from appliance.clock import Clock
from appliance.domain.card import ModelCard
from appliance.domain.finding import LocalThreshold
from appliance.layout import Layout
from appliance.models.served import Served
from appliance.pipeline.bench import as_signed
from appliance.store.connection import Database
from appliance.store.thresholds import Thresholds


class OperatingPoints:
    """What a worker knows of them."""

    def __init__(self, database: Database) -> None:
        self._thresholds = Thresholds(database)
        self._log = structlog.get_logger()

    def of(self, card: ModelCard) -> Mapping[tuple[str, str], LocalThreshold]:
        """Those that hold for the next image: one look at the store."""
        return self._thresholds.in_force(card)

    def follow(self, served: Served) -> None:
        """A model came into service: say which, and take back what was moved for another release of it."""
        say = self._log.warning if served.fallback_reason else self._log.info
        say(
            "model in service",
            model=served.card.identity,
            release=served.card.release,
            engine=served.description.words,
            library=served.description.version,
            second_choice_because=served.fallback_reason,
        )
        for change in self._thresholds.give_back(served.card):
            self._log.warning(
                "local threshold taken back",
                task=change.task,
                code=change.code_value,
                old=change.old_threshold,
                now=change.new_threshold,
                why=change.why,
            )


@contextmanager
def site_thresholds(
    device: Layout | None, clock: Clock
) -> Iterator[Callable[[ModelCard], Mapping[tuple[str, str], LocalThreshold]]]:
    """For a look without a service: what holds on the appliance of this folder; None: what is signed."""
    if device is None or not device.database.exists():
        yield as_signed
        return
    with Database.open_to_read(device.database, data=device.data, clock=clock) as database:
        yield Thresholds(database).in_force
