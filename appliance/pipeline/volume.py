# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Slice after slice: a series measured and judged, or denoised into a derived series. Never all at once.

Between two slices the bench may let more urgent work go first; memory stays that of a few slices whatever
the length of the series.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from appliance.domain.finding import Refusal
from appliance.domain.image import PixelImage, StoredArray
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.result import DerivedFile, LaneResult
from appliance.durable import make_folder
from appliance.errors import InputError
from appliance.outputs.derived_pixels import stored_values
from appliance.outputs.derived_series import DerivedSeriesWriter
from appliance.pipeline.bench import Answering, Work
from appliance.pipeline.views import DENOISED, PIXELS, StackWriter, add_denoised, describe_view, showable
from appliance.tasks.catalogue import as_frames, as_series

MOST_MARKS: Final = 20
"""Places that are listed one by one; the advice gives the count of all."""


def measure_series(work: Work) -> LaneResult:
    """Every task measures every slice, then judges the whole; the stack is laid out for the screen.

    A slice that cannot be decoded is a fault of the series, told with its place; the others are judged.
    Raises InputError when none can be decoded.
    """
    tasks = tuple(as_series(answering.task) for answering in work.answering)
    measures: tuple[list[Any], ...] = tuple([] for _ in tasks)
    damaged: list[tuple[int, InputError]] = []
    make_folder(work.view)
    first: PixelImage | None = None
    with StackWriter(work.view / PIXELS, slices=len(work.frames)) as stack:
        for index, image in enumerate(_timed(work)):
            if isinstance(image, InputError):
                damaged.append((index, image))
                stack.skip()
                continue
            with work.spans.stage("prepared"):
                for task, measured in zip(tasks, measures, strict=True):
                    measured.append(task.measure(work.acquisition, index, image))
            with work.spans.stage("written"):
                shown = showable(image)
                first = first or shown
                stack.add(_on_the_scale_of(first, shown))
            work.bench.between()
    if first is None:
        raise damaged[0][1]
    describe_view(work.view, first)
    quality = [_damaged_slices(damaged)] if damaged else []
    with work.spans.stage("interpreted"):
        for task, measured in zip(tasks, measures, strict=True):
            quality += task.conclude(work.acquisition, measured).quality
    return replace(work.empty_result(), quality=tuple(quality))


def _timed(work: Work) -> Iterator[PixelImage | InputError]:
    """The slices, with the time that each was waited for."""
    frames = work.frames.each()
    for _ in range(len(work.frames)):
        with work.spans.stage("decoded"):
            image = next(frames)
        yield image


def _damaged_slices(damaged: list[tuple[int, InputError]]) -> QualityCheck:
    first, last = damaged[0][0], damaged[-1][0]
    marks = tuple(
        Mark(label="damaged slice", shape=MarkShape.SLICES, points_px=((index, index),))
        for index, _ in damaged[:MOST_MARKS]
    )
    where = (
        f"slice {first + 1}" if first == last else f"{len(damaged)} slices between {first + 1} and {last + 1}"
    )
    return QualityCheck(
        criterion="damaged_slices",
        verdict=Verdict.REPEAT,
        value=float(len(damaged)),
        unit="1",
        limit=0.0,
        advice=f"The picture data of {where} are damaged. Send the series again before the patient leaves.",
        marks=marks,
    )


def denoise_series(work: Work) -> LaneResult:
    """The derived series, written slice by slice in the order of the stack, and the same for the screen."""
    result = work.empty_result()
    derived: list[DerivedFile] = []
    refusals: list[Refusal] = []
    for answering in work.answering:
        try:
            with _all_or_nothing(work) as written:
                _denoise(work, answering, written)
        except InputError as error:
            refusals.append(Refusal(task=answering.task.name, reason=str(error)))
        else:
            derived += written
    refused = {refusal.task for refusal in refusals}
    return replace(
        result,
        derived=tuple(derived),
        refusals=tuple(refusals),
        engines=tuple(use for use in result.engines if use.task not in refused),
    )


@contextmanager
def _all_or_nothing(work: Work) -> Iterator[list[DerivedFile]]:
    """What the block writes stays only if the block ends well: a series with holes would pass for whole."""
    written: list[DerivedFile] = []
    try:
        yield written
    except BaseException:
        for file in written:
            (work.bench.layout.data / file.path).unlink(missing_ok=True)
        raise


def _denoise(work: Work, answering: Answering, written: list[DerivedFile]) -> None:
    """Fill `written`. Raises InputError at the first slice that cannot be read or repeated."""
    task, served = as_frames(answering.task), answering.served
    assert served is not None  # a frame task without its model was refused
    make_folder(work.view)
    with (
        DerivedSeriesWriter(
            work.derived, acquisition=work.acquisition, card=served.card, data=work.bench.layout.data
        ) as writer,
        StackWriter(work.view / DENOISED, slices=len(work.frames)) as stack,
    ):
        for index, image in enumerate(_timed(work)):
            if isinstance(image, InputError):
                raise image
            with work.spans.stage("prepared"):
                inputs = task.prepare(work.acquisition, image, served.card)
            with work.spans.stage("inferred"):
                outputs = work.infer(answering, inputs)
            with work.spans.stage("interpreted"), work.trusting(answering):
                frame = task.interpret(work.acquisition, image, outputs, served.card)
            with work.spans.stage("written"):
                file, stored = writer.add(index, image, frame.values)
                marks = tuple(replace(mark, slice_index=index) for mark in frame.marks)
                written.append(replace(file, marks=marks))
                stack.add(stored)
            work.bench.between()
    add_denoised(work.view)


def _on_the_scale_of(first: PixelImage, image: PixelImage) -> StoredArray:
    """The samples of `image` such that the transform of `first` gives its values.

    Slices of one series may differ in their rescale values (PET always); the screen has one scale for all.
    """
    if _scale(image) == _scale(first):
        return image.stored
    return stored_values(first, image.grey())


def _scale(image: PixelImage) -> tuple[object, ...]:
    """What its stored samples mean."""
    mirror = image.stored_range if image.inverted else None
    return (image.stored.dtype, image.slope, image.intercept, mirror)
