# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers of a shadow."""

from __future__ import annotations

from appliance.commands.shadow_report import summary
from appliance.domain.finding import Decision
from appliance.domain.shadow import Pair, ShadowAnswer

ABSENT, PRESENT = Decision.ABSENT, Decision.PRESENT


def seen(
    served: Decision, shadow: Decision, apart: float, *, served_ms: float | None = 4.0, shadow_ms: float = 2.0
) -> ShadowAnswer:
    pair = Pair(
        label="Bright", served=served, shadow=shadow, served_probability=0.5, shadow_probability=0.5 + apart
    )
    return ShadowAnswer(
        acquisition_id="a",
        version=1,
        served_model="chest_triage@1.0",
        shadow_model="chest_triage@2.0",
        shadow_engine="ort f32 CPU",
        pairs=(pair,),
        served_ms=served_ms,
        shadow_ms=shadow_ms,
        answered_at_utc="2026-01-01T00:00:00+00:00",
    )


def test_decisions_are_counted_by_the_way_they_went() -> None:
    told = summary(
        (
            seen(ABSENT, ABSENT, 0.0),
            seen(ABSENT, PRESENT, 0.4),
            seen(ABSENT, PRESENT, 0.4, shadow_ms=8.0),
            seen(PRESENT, ABSENT, -0.4, served_ms=None),
        ),
        "0123456789abcdef",
        running=True,
    )
    assert told["images"] == 4
    assert told["labels"]["Bright"] == {
        "images": 4,
        "same": 1,
        "changed": {"ABSENT -> PRESENT": 2, "PRESENT -> ABSENT": 1},
        "apart": "0.300",
    }
    assert (told["shadow_p50_ms"], told["served_p50_ms"]) == (2.0, 4.0)
    assert told["served_models"] == ["chest_triage@1.0"]


def test_a_time_that_nobody_measured_is_unknown() -> None:
    assert summary((seen(ABSENT, ABSENT, 0.0, served_ms=None),), "0", running=False)["served_p50_ms"] is None
