# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Once a day: what each model in the shadow decided otherwise since the day before, kept as history."""

from __future__ import annotations

import statistics
from collections import Counter

from appliance.clock import Clock
from appliance.domain.shadow import ShadowAnswer, ShadowNight
from appliance.store.shadows import Shadows


def count_nights(shadows: Shadows, clock: Clock) -> tuple[ShadowNight, ...]:
    """Those that are due: no shadow is counted twice on one date. Raises StoreError."""
    night = clock.now_utc().date().isoformat()
    counted = []
    for task, release in shadows.releases():
        last, rowid = shadows.night_position(task, release)
        if last >= night:
            continue
        answers = shadows.answers_after(task, release, rowid)
        if answers:
            one = night_of([answer for _, answer in answers], night=night, task=task, release=release)
            shadows.keep_night(one, last_rowid=answers[-1][0])
            counted.append(one)
    return tuple(counted)


def night_of(answers: list[ShadowAnswer], *, night: str, task: str, release: str) -> ShadowNight:
    """These answers in numbers."""
    pairs = [pair for answer in answers for pair in answer.pairs]
    changed = Counter(
        f"{pair.label}: {pair.served.value} -> {pair.shadow.value}"
        for pair in pairs
        if pair.served is not pair.shadow
    )
    apart = [abs(pair.served_probability - pair.shadow_probability) for pair in pairs]
    return ShadowNight(
        night=night,
        task=task,
        release=release,
        shadow_model=answers[-1].shadow_model,
        served_models=tuple(sorted({answer.served_model for answer in answers})),
        images=len(answers),
        labels=len(pairs),
        changed=dict(sorted(changed.items())),
        apart=statistics.fmean(apart) if apart else 0.0,
    )
