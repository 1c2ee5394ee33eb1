# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How soon a check is of use: while the patient is still there."""

from __future__ import annotations

from typing import Final

from appliance.domain.acquisition import Kind

PROJECTION_DEADLINE_S: Final = 3.0
"""From landing. A radiographer looks at the screen once before letting go of the patient (PRODUCT.md, C1 and
"Time budgets": hard limit 3 s)."""
VOLUME_DEADLINE_S: Final = 10.0
"""From the landing of the last slice: before the patient is off the table (PRODUCT.md, C1, 09:10)."""
_DEADLINES_S: Final = {Kind.PROJECTION: PROJECTION_DEADLINE_S, Kind.VOLUME: VOLUME_DEADLINE_S}


def deadline_s(kind: Kind) -> float:
    """Seconds after landing within which the quality check has to have answered."""
    return _DEADLINES_S[kind]
