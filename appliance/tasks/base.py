# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a task is: may it answer, what does the model need to see, and what do its outputs mean.

A task is a folder here; its `__init__.py` holds `TASK`, an ImageTask, a FrameTask or a SeriesTask, found
by name and imported on use. Tasks are pure: they decode nothing, load no model and write nothing; they
know no engine. A task with `model = None` measures without a model and is given no outputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.finding import Finding, Refusal
from appliance.domain.image import GreyArray, PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, QualityCheck
from appliance.engines.base import Tensors


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heatmap:
    """Where a finding's evidence lies: 0..1, the shape of the source image, read-only."""

    finding_code: str
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a task says about an acquisition."""

    quality: tuple[QualityCheck, ...] = ()
    findings: tuple[Finding, ...] = ()
    heatmaps: tuple[Heatmap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """A new frame made of one."""

    values: GreyArray
    """In the units of `image.grey()`, same shape, read-only."""
    marks: tuple[Mark, ...] = ()
    """Places in it that a reader must know of. Without a slice number: the frame knows no others."""


class _Task(Protocol):
    """What every task has."""

    name: str
    lane: Lane
    model: str | None
    """Task name of the model bundle that it needs; None for one that only measures."""

    def accepts(self, acquisition: Acquisition, card: ModelCard | None) -> Refusal | None:
        """None: it answers. A Refusal: why it must not, in words a technologist understands."""


class ImageTask(_Task, Protocol):
    """Looks at one projection."""

    def prepare(self, acquisition: Acquisition, image: PixelImage, card: ModelCard | None) -> Tensors:
        """The model's inputs, or an empty mapping when `card` is None."""

    def interpret(
        self, acquisition: Acquisition, image: PixelImage, outputs: Tensors, card: ModelCard | None
    ) -> Answer:
        """What the outputs mean for this image; for a task without a model, what it measures."""


class SeriesTask(_Task, Protocol):
    """Measures every slice of a volume by itself, then judges the whole. Never holds the volume."""

    def measure(self, acquisition: Acquisition, index: int, image: PixelImage) -> Any:
        """A small value for one slice; whatever `conclude` needs and nothing large."""

    def conclude(self, acquisition: Acquisition, measures: Iterable[Any]) -> Answer:
        """Judge the series. `measures` come in slice order, one per slice that could be decoded."""


class FrameTask(_Task, Protocol):
    """Makes a new frame of every frame (denoising)."""

    def prepare(self, acquisition: Acquisition, image: PixelImage, card: ModelCard | None) -> Tensors:
        """The model's inputs for one frame."""

    def interpret(
        self, acquisition: Acquisition, image: PixelImage, outputs: Tensors, card: ModelCard | None
    ) -> Frame:
        """The new frame. Raises EngineError if the outputs are unfit."""


AnyTask: TypeAlias = ImageTask | SeriesTask | FrameTask
