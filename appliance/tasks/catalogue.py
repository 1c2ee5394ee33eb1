# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Finding tasks: every folder here that holds a `TASK` is one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import cast

import appliance.tasks
from appliance.domain.acquisition import Kind
from appliance.domain.job import Lane
from appliance.tasks.base import AnyTask, FrameTask, ImageTask, SeriesTask


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


def tasks_for(lane: Lane, kind: Kind) -> tuple[AnyTask, ...]:
    """The tasks of a lane that look at this kind of acquisition."""
    return tuple(task for task in every_task() if task.lane is lane and looks_at(task) is kind)


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
