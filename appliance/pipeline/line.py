# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The straight line: one lane of one acquisition, from frames to a result. Nothing here knows the store.

admission   which tasks of the lane may answer; a Refusal with its reason from each that may not
projection  one frame: quality measured, or task.prepare -> engine.infer -> task.interpret
volume      slice after slice: measured and judged as a whole, or denoised into a derived series
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.card import ModelCard
from appliance.domain.expected import ListState
from appliance.domain.finding import Refusal
from appliance.domain.image import FrameSource
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.errors import EngineError
from appliance.models.served import Served
from appliance.pipeline.bench import Answering, Bench, Work
from appliance.pipeline.projection import look_at_image
from appliance.pipeline.spans import Spans
from appliance.pipeline.volume import denoise_series, measure_series
from appliance.tasks.admission import NO_MODEL, is_for_other_body_parts
from appliance.tasks.catalogue import tasks_for
from appliance.tasks.order_checks import order_checks

EMPTY_TRIAGE: Final = "triage"
"""Named in the refusal when there is no triage for a kind of image at all: silence is no answer."""


def run_lane(lane: Lane, acquisition: Acquisition, frames: FrameSource, bench: Bench) -> LaneResult:
    """The lane's whole answer.

    Raises InputError when the pixels cannot be read, EngineError when an engine fails or answers nonsense.
    """
    answering, refusals = _admit(lane, acquisition, bench)
    work = Work(
        lane=lane,
        acquisition=acquisition,
        frames=frames,
        answering=answering,
        bench=bench,
        spans=Spans(bench.clock),
    )
    if acquisition.kind is Kind.PROJECTION:
        result = look_at_image(work)
    elif lane is Lane.QUALITY:
        result = measure_series(work)
    elif lane is Lane.DENOISE:
        result = denoise_series(work)
    else:
        result = work.empty_result()
    if lane is Lane.QUALITY:
        expected = bench.orders.expectation(acquisition)
        if result.quality or expected.state is not ListState.NONE:
            result = replace(result, quality=(*result.quality, *order_checks(acquisition, expected)))
    return replace(result, refusals=(*refusals, *result.refusals), timings=work.spans.timings())


def _admit(
    lane: Lane, acquisition: Acquisition, bench: Bench
) -> tuple[tuple[Answering, ...], tuple[Refusal, ...]]:
    installed = (bench.models.card(name) for name in bench.models.tasks())
    tasks = tasks_for(lane, acquisition.kind, [card for card in installed if card is not None])
    cards = {task.name: bench.models.card(task.model) if task.model else None for task in tasks}
    answering: list[Answering] = []
    refusals: list[Refusal] = []
    for task in tasks:
        card = cards[task.name]
        if lane is not Lane.QUALITY and card is None:
            refusals.append(Refusal(task=task.name, reason=NO_MODEL))
        elif refusal := task.accepts(acquisition, card):
            refusals.append(refusal)
        else:
            answering.append(Answering(task=task, served=_serve(lane, task.model, bench)))
    if lane is Lane.QUALITY and answering:
        refusals = []  # the others are for other body parts: that is not news
    if lane is Lane.TRIAGE:
        refusals = _news(refusals, acquisition, cards) if tasks else [_no_triage(acquisition)]
    return tuple(answering), tuple(refusals)


def _news(
    refusals: list[Refusal], acquisition: Acquisition, cards: Mapping[str, ModelCard | None]
) -> list[Refusal]:
    """Without those of models for other body parts, where there is one for this body part."""
    elsewhere = {
        name
        for name, card in cards.items()
        if card is not None and is_for_other_body_parts(acquisition, card)
    }
    if elsewhere >= set(cards):
        return refusals
    return [refusal for refusal in refusals if refusal.task not in elsewhere]


def _no_triage(acquisition: Acquisition) -> Refusal:
    modality = acquisition.first.modality or "such"
    return Refusal(task=EMPTY_TRIAGE, reason=f"This device has no triage model for {modality} series.")


def _serve(lane: Lane, model: str | None, bench: Bench) -> Served | None:
    """The task's model. Quality control measures on without one, and says what it then cannot judge."""
    if model is None:
        return None
    try:
        return bench.models.served(model)
    except EngineError:
        if lane is Lane.QUALITY:
            return None
        raise
