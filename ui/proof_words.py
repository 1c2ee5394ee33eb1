# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last proof in words for the bar, and whether it still says anything. No Qt."""

from __future__ import annotations

from typing import Final

from appliance.clock import NS_PER_S
from appliance.monitor.proof import Proof
from ui.language import tr
from ui.wording import clock_time

S_PER_MIN: Final = 60.0
MS_PER_S: Final = 1000.0


def proof_words(proof: Proof | None, *, now_ns: int) -> str:
    """When the device last proved itself."""
    if proof is None or proof.made_ns is None:
        return tr("not proved yet")
    if not proof.passed:
        return tr("proof failed {time}", time=clock_time(proof.made_at_utc))
    age_s = max(0.0, (now_ns - proof.made_ns) / NS_PER_S)
    took = f"{proof.took_ms / MS_PER_S:.1f}"
    if age_s < S_PER_MIN:
        return tr("last proof just now, {seconds} s", seconds=took)
    return tr("last proof {minutes} min ago, {seconds} s", minutes=int(age_s // S_PER_MIN), seconds=took)


def is_proved(proof: Proof | None) -> bool:
    """Whether there was any proof in this boot."""
    return proof is not None and proof.made_ns is not None


def is_too_old(proof: Proof, *, now_ns: int) -> bool:
    """The last proof says nothing about now any more."""
    return proof.made_ns is not None and now_ns - proof.made_ns > proof.too_old_s * NS_PER_S
