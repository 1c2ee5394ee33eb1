# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A model that serves, and what the process around the registry has to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from appliance.domain.card import ModelCard
from appliance.engines.base import Engine, EngineDescription
from appliance.engines.kserve import InferenceServer
from appliance.models.bundle import Bundle
from appliance.models.candidate import in_words_of
from appliance.models.passport import Passport
from appliance.models.releases import Releases
from appliance.models.retry import Retry
from appliance.models.selection import Selected
from appliance.models.slots import SlotFolder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """A loaded model. The registry owns the engine."""

    card: ModelCard
    engine: Engine
    passport: Passport
    fallback_reason: str | None
    """Why this is not the first choice; None when it is."""

    @property
    def description(self) -> EngineDescription:
        """What really runs: the engine's own words, with the precision of the graph that it was given."""
        return in_words_of(self.passport.candidate, self.engine.describe())

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()


def served_by(bundle: Bundle, selected: Selected, stepped_back: str | None) -> Served:
    """The bundle on the selected engine. `stepped_back`: why it is not the one that was asked for before."""
    reasons = (stepped_back, selected.fallback_reason)
    return Served(
        card=bundle.card,
        engine=selected.engine,
        passport=selected.passport,
        fallback_reason="; ".join(reason for reason in reasons if reason) or None,
    )


def _nobody() -> None:
    """For those who have nobody to show life to."""


def _nothing(served: Served) -> None:
    """For those who keep no log."""
    del served


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the process around a registry adds to it."""

    slots: SlotFolder | None = None
    """What was activated on this device; None: only the folders count."""
    releases: Releases | None = None
    """What this device has accepted: a lower release is refused, one that serves is noted. None: nothing is
    known, as for a single look."""
    mends_slots: bool = False
    """Take an activated release that cannot serve out of its slot: only the worker does."""
    alive: Callable[[], None] = _nobody
    """Called about every second while a passport is made, and before an engine is loaded."""
    at_change: Callable[[Served], None] = _nothing
    """Called whenever a task gets an engine, or another one."""
    server: InferenceServer | None = None
    """For the engine `remote`; None: there is none."""
    given_up: Mapping[str, str] = field(default_factory=dict)
    """Engines that are not to be used at all, and why: the result and the screen say so."""
    retry: Retry | None = None
    """Which engines are tried again after a failure; None: not one."""
