# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The shadow of a model: the same task on the same image with another model, beside the answer that counts.

Only tasks that decide something about one image can be shadowed: what is compared are decisions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.clock import NS_PER_MS, Clock
from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.card import ModelCard
from appliance.domain.image import FrameSource
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.domain.shadow import Pair, ShadowAnswer
from appliance.models.served import Served
from appliance.tasks.catalogue import as_image, tasks_for

SHADOWED: Final = Lane.TRIAGE
"""The lane whose answers are findings with decisions."""


def shadowable_tasks(cards: Iterable[ModelCard]) -> tuple[str, ...]:
    """Names of the tasks whose model may have a shadow, with those that came with one of these cards."""
    return tuple(task.name for task in tasks_for(SHADOWED, Kind.PROJECTION, cards) if task.model is not None)


def shadow_answer(
    task_name: str,
    result: LaneResult,
    acquisition: Acquisition,
    frames: FrameSource,
    shadow: Served,
    clock: Clock,
) -> ShadowAnswer | None:
    """What the shadow says to an image that `result` is the answer for; None: nothing to compare.

    Raises InputError when the image cannot be read, EngineError when the shadow's engine fails.
    """
    answered = {use.task: use.model for use in result.engines}
    if task_name not in answered:
        return None
    tasks = tasks_for(SHADOWED, Kind.PROJECTION, (shadow.card,))
    task = as_image(next(task for task in tasks if task.name == task_name))
    if task.accepts(acquisition, shadow.card) is not None:
        return None
    image = frames.frame(0)
    inputs = task.prepare(acquisition, image, shadow.card)
    started_ns = clock.monotonic_ns()
    outputs = shadow.engine.infer(inputs)
    shadow_ms = (clock.monotonic_ns() - started_ns) / NS_PER_MS
    said = {
        finding.code: finding for finding in task.interpret(acquisition, image, outputs, shadow.card).findings
    }
    inferred = [timing.duration_ms for timing in result.timings if timing.stage == "inferred"]
    return ShadowAnswer(
        acquisition_id=result.acquisition_id,
        version=result.version,
        served_model=answered[task_name],
        shadow_model=shadow.card.identity,
        shadow_engine=shadow.description.words,
        pairs=tuple(
            Pair(
                label=finding.code.meaning,
                served=finding.decision,
                shadow=said[finding.code].decision,
                served_probability=finding.probability,
                shadow_probability=said[finding.code].probability,
            )
            for finding in result.findings
            if finding.task == task_name and finding.code in said
        ),
        served_ms=inferred[0] if len(inferred) == len(answered) == 1 else None,
        shadow_ms=shadow_ms,
        answered_at_utc=clock.now_utc().isoformat(),
    )
