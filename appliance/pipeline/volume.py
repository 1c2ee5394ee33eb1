# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Slice after slice: a series measured and judged, or denoised into a derived series. Never all at once.

Between two slices the bench may let more urgent work go first; memory stays that of a few slices whatever
the length of the series.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from appliance.domain.image import PixelImage
from appliance.domain.quality import QualityCheck
from appliance.domain.result import DerivedFile, LaneResult
from appliance.outputs.derived_series import DerivedSeriesWriter
from appliance.pipeline.bench import Answering, Work
from appliance.pipeline.views import DENOISED, PIXELS, StackWriter, add_denoised, describe_view, showable
from appliance.tasks.catalogue import as_frames, as_series


def measure_series(work: Work) -> LaneResult:
    """Every task measures every slice, then judges the whole; the stack is laid out for the screen."""
    tasks = tuple(as_series(answering.task) for answering in work.answering)
    measures: tuple[list[Any], ...] = tuple([] for _ in tasks)
    work.view.mkdir(parents=True, exist_ok=True)
    first: PixelImage | None = None
    with StackWriter(work.view / PIXELS, slices=len(work.frames)) as stack:
        frames = iter(work.frames)
        for index in range(len(work.frames)):
            with work.spans.stage("decoded"):
                image = next(frames)
            with work.spans.stage("prepared"):
                for task, measured in zip(tasks, measures, strict=True):
                    measured.append(task.measure(work.acquisition, index, image))
            with work.spans.stage("written"):
                shown = showable(image)
                first = first or shown
                stack.add(_on_the_scale_of(first, shown))
            work.bench.between()
    if first is not None:
        describe_view(work.view, work.acquisition.acquisition_id, first)
    quality: list[QualityCheck] = []
    with work.spans.stage("interpreted"):
        for task, measured in zip(tasks, measures, strict=True):
            quality += task.conclude(work.acquisition, measured).quality
    return replace(work.empty_result(), quality=tuple(quality))


def denoise_series(work: Work) -> LaneResult:
    """The derived series, written slice by slice in the order of the stack, and the same for the screen."""
    result = work.empty_result()
    derived: list[DerivedFile] = []
    for answering in work.answering:
        derived += _denoise(work, answering)
    return replace(result, derived=tuple(derived))


def _denoise(work: Work, answering: Answering) -> list[DerivedFile]:
    task, served = as_frames(answering.task), answering.served
    assert served is not None  # a frame task without its model was refused
    writer = DerivedSeriesWriter(
        work.derived, acquisition=work.acquisition, card=served.card, data=work.bench.layout.data
    )
    derived: list[DerivedFile] = []
    work.view.mkdir(parents=True, exist_ok=True)
    with StackWriter(work.view / DENOISED, slices=len(work.frames)) as stack:
        frames = iter(work.frames)
        for index in range(len(work.frames)):
            with work.spans.stage("decoded"):
                image = next(frames)
            with work.spans.stage("prepared"):
                inputs = task.prepare(work.acquisition, image, served.card)
            with work.spans.stage("inferred"):
                outputs = work.infer(answering, inputs)
            with work.spans.stage("interpreted"):
                denoised = task.interpret(work.acquisition, image, outputs, served.card)
            with work.spans.stage("written"):
                file, stored = writer.add(index, image, denoised)
                derived.append(file)
                stack.add(stored)
            work.bench.between()
    add_denoised(work.view)
    return derived


def _on_the_scale_of(first: PixelImage, image: PixelImage) -> Any:
    """The samples of `image` such that slope and intercept of `first` give its values.

    Slices of one series may differ in their rescale values (PET always); the screen has one scale for all.
    """
    same = (first.slope, first.intercept, first.inverted, first.stored.dtype) == (
        image.slope,
        image.intercept,
        image.inverted,
        image.stored.dtype,
    )
    if same:
        return image.stored
    limits = np.iinfo(first.stored.dtype)
    values = (image.stored * image.slope + image.intercept - first.intercept) / first.slope
    return np.clip(np.rint(values), limits.min, limits.max).astype(first.stored.dtype)
