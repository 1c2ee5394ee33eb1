# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A person's decision to take an image again, as its note for the archive needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appliance.domain.quality import QualityCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """What was decided, by a person at this device."""

    decision_id: int
    reason: str | None
    decided_at_utc: datetime
    checks: tuple[QualityCheck, ...]
    """Of this acquisition: a reason that is a check's own advice gets that check's code."""
