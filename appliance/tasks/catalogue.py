# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Finding tasks: every folder here that holds a `TASK` is one; a classifier's bundle needs none."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import lru_cache
from typing import cast

import appliance.tasks
from appliance.domain.acquisition import Kind
from appliance.domain.card import ModelCard
from appliance.domain.job import Lane
from appliance.tasks.base import AnyTask, FrameTask, ImageTask, SeriesTask
from appliance.tasks.radiograph_classifier import RadiographClassifier, is_classifier


@lru_cache(maxsize=1)
def every_task() -> tuple[AnyTask, ...]:
    """All tasks, by name."""
    found = []
    for module in pkgutil.iter_modules(appliance.tasks.__path__):
        if module.ispkg:
            task = getattr(importlib.import_module(f"{appliance.tasks.__name__}.{module.name}"), "TASK", None)
            if task is not None:
                found.append(cast("AnyTask", task))
    return tuple(sorted(found, key=lambda task: task.name))


def tasks_for(lane: Lane, kind: Kind, cards: Iterable[ModelCard] = ()) -> tuple[AnyTask, ...]:
    """The tasks of a lane that look at this kind of acquisition; last those that came with a bundle."""
    tasks = (*every_task(), *tasks_of_bundles(cards))
    return tuple(task for task in tasks if task.lane is lane and looks_at(task) is kind)


def tasks_of_bundles(cards: Iterable[ModelCard]) -> tuple[AnyTask, ...]:
    """A triage task for each classifier of radiographs that no folder asks for: its card says it all.

    Whoever has trained one needs no code here, only a bundle with a task name of its own.
    """
    asked_for = {task.model for task in every_task()}
    names = sorted(card.task for card in cards if card.task not in asked_for and is_classifier(card))
    return tuple(RadiographClassifier(name=name) for name in names)


def looks_at(task: AnyTask) -> Kind:
    """An ImageTask looks at projections; the others at volumes."""
    return Kind.VOLUME if measures_series(task) or makes_frames(task) else Kind.PROJECTION


def measures_series(task: AnyTask) -> bool:
    """Is it a SeriesTask?"""
    return hasattr(task, "measure")


def makes_frames(task: AnyTask) -> bool:
    """Is it a FrameTask? Only the denoise lane holds those."""
    return task.lane is Lane.DENOISE


def as_image(task: AnyTask) -> ImageTask:
    """For the type checker: a task that looks at projections."""
    return cast("ImageTask", task)


def as_series(task: AnyTask) -> SeriesTask:
    """For the type checker, after `measures_series`."""
    return cast("SeriesTask", task)


def as_frames(task: AnyTask) -> FrameTask:
    """For the type checker, after `makes_frames`."""
    return cast("FrameTask", task)
