# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a model on trial said about an image that another model had answered for. Never a result."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.finding import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One label of one image, as two models saw it."""

    label: str
    served: Decision
    shadow: Decision
    served_probability: float
    shadow_probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowAnswer:
    """One image."""

    acquisition_id: str
    version: int
    served_model: str
    """`task@version`."""
    shadow_model: str
    shadow_engine: str
    pairs: tuple[Pair, ...]
    """Labels that only one of the two models has are left out."""
    served_ms: float | None
    """Time of the model that answered; None where its result does not say."""
    shadow_ms: float
    answered_at_utc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowNight:
    """What a model in the shadow said since the night before, in numbers."""

    night: str
    """The date on which it was counted."""
    task: str
    release: str
    shadow_model: str
    served_models: tuple[str, ...]
    images: int
    labels: int
    """Label by label: what was compared."""
    changed: dict[str, int]
    """Label and both decisions, "fracture: ABSENT -> PRESENT", to how often."""
    apart: float
    """Mean distance of the two probabilities."""

    @property
    def different(self) -> int:
        """Decisions that are not the same."""
        return sum(self.changed.values())
