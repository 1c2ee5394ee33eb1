# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models shadow TASK --report`: how often the model on trial decides otherwise, and which way."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any, Final

from appliance.clock import SystemClock
from appliance.commands.say import say_json, table
from appliance.domain.record import to_plain
from appliance.domain.shadow import ShadowAnswer, ShadowNight
from appliance.errors import ModelBundleError
from appliance.layout import Layout
from appliance.models.slots import SlotFolder
from appliance.store.connection import Database
from appliance.store.shadows import Shadows

NIGHTS_SHOWN: Final = 14


def say_report(layout: Layout, slots: SlotFolder, task: str, *, as_json: bool) -> None:
    """Every shadow that this task ever had. Raises ModelBundleError when none said anything yet."""
    now = slots.read(task).shadow
    lines = []
    nights: tuple[ShadowNight, ...] = ()
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        shadows = Shadows(database)
        for name, release in shadows.releases():
            if name == task:
                lines.append(summary(shadows.answers(task, release), release, running=release == now))
        nights = shadows.nights(task, limit=NIGHTS_SHOWN)
    if not lines:
        raise ModelBundleError(
            f"No model in the shadow of {task} has seen an image yet.",
            remedy="It looks at what comes from now on, when nothing else waits.",
        )
    if as_json:
        for line in lines:
            of_it = [to_plain(night) for night in nights if night.release == line["release"]]
            say_json({**line, "nights": of_it})
        return
    for line in lines:
        rows: list[tuple[str, ...]] = [
            (label, str(counted["images"]), str(counted["same"]), _ways(counted["changed"]), counted["apart"])
            for label, counted in line["labels"].items()
        ]
        title = f"{line['shadow_model']} in the shadow of {', '.join(line['served_models'])}"
        times = f"{_time(line['shadow_p50_ms'])} (who answered: {_time(line['served_p50_ms'])})"
        table(
            f"{title}: {line['images']} images, {times}",
            ("label", "images", "same decision", "other decision", "probability apart, mean"),
            rows,
        )
    if nights:
        table(
            "Night by night, newest first",
            ("night", "model", "images", "other decisions", "probability apart, mean"),
            [
                (
                    night.night,
                    night.shadow_model,
                    str(night.images),
                    _ways(night.changed),
                    f"{night.apart:.3f}",
                )
                for night in nights
            ],
        )


def summary(answers: tuple[ShadowAnswer, ...], release: str, *, running: bool) -> dict[str, Any]:
    """One shadow in numbers. None where nothing was measured."""
    labels: dict[str, dict[str, Any]] = {}
    for label in dict.fromkeys(pair.label for answer in answers for pair in answer.pairs):
        pairs = [pair for answer in answers for pair in answer.pairs if pair.label == label]
        changed = Counter(
            f"{pair.served.value} -> {pair.shadow.value}" for pair in pairs if pair.served is not pair.shadow
        )
        apart = statistics.fmean(abs(pair.served_probability - pair.shadow_probability) for pair in pairs)
        labels[label] = {
            "images": len(pairs),
            "same": len(pairs) - sum(changed.values()),
            "changed": dict(sorted(changed.items())),
            "apart": f"{apart:.3f}",
        }
    served_ms = [answer.served_ms for answer in answers if answer.served_ms is not None]
    return {
        "release": release,
        "running": running,
        "shadow_model": answers[0].shadow_model,
        "served_models": sorted({answer.served_model for answer in answers}),
        "images": len(answers),
        "labels": labels,
        "shadow_p50_ms": statistics.median(answer.shadow_ms for answer in answers),
        "served_p50_ms": statistics.median(served_ms) if served_ms else None,
    }


def _ways(changed: dict[str, int]) -> str:
    return "\n".join(f"{way}: {count}" for way, count in changed.items()) or "none"


def _time(ms: float | None) -> str:
    return "time not known" if ms is None else f"{ms:.1f} ms"
