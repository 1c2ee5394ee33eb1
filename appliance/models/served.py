# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A model that serves."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.card import ModelCard
from appliance.engines.base import Engine, EngineDescription
from appliance.errors import EngineError
from appliance.models.bundle import Bundle
from appliance.models.candidate import in_words_of
from appliance.models.passport import Passport
from appliance.models.selection import Selected


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


def anew(error: EngineError) -> EngineError:
    """The same error without what led to it.

    A raised error holds every call that it passed through, with what they held, and one that is raised again
    holds those, too: kept and raised for every image, it would keep every image.
    """
    return EngineError(error.what, remedy=error.remedy)
