# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a lane works with, and what it has at hand for one piece of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.clock import Clock
from appliance.config import Layout
from appliance.domain.acquisition import Acquisition
from appliance.domain.image import FrameSource
from appliance.domain.job import Lane
from appliance.domain.result import EngineUse, LaneResult
from appliance.models.registry import Served
from appliance.pipeline.spans import Spans
from appliance.tasks.base import AnyTask


class Models(Protocol):
    """Where the line gets its models from."""

    def served(self, task: str) -> Served | None:
        """The model of a task, proven and loaded; None when none is installed. Raises EngineError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The tools of a process that runs lanes."""

    models: Models
    clock: Clock
    layout: Layout
    between: Callable[[], None]
    """Called between slices: renews the lease, and lets more urgent work go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """A task that may answer, with its model where it needs one and one is installed."""

    task: AnyTask
    served: Served | None

    @property
    def engine_use(self) -> EngineUse | None:
        """How the answer came about, for the result."""
        if self.served is None:
            return None
        return EngineUse(
            task=self.task.name,
            model=self.served.card.identity,
            engine=self.served.engine.describe().words,
            fallback_reason=self.served.fallback_reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One lane of one acquisition, under way."""

    lane: Lane
    acquisition: Acquisition
    frames: FrameSource
    answering: tuple[Answering, ...]
    bench: Bench
    spans: Spans

    @property
    def view(self) -> Path:
        """Folder of what the screen shows."""
        return self.bench.layout.views / self._name

    @property
    def derived(self) -> Path:
        """Folder of the derived objects of this version."""
        return self.bench.layout.results / self._name

    @property
    def _name(self) -> str:
        return f"{self.acquisition.acquisition_id}-v{self.acquisition.version}"

    def relative(self, path: Path) -> str:
        """How a result names a file."""
        return str(path.relative_to(self.bench.layout.data))

    def empty_result(self) -> LaneResult:
        """A result that says nothing yet but who answers."""
        uses = (answering.engine_use for answering in self.answering)
        return LaneResult(
            acquisition_id=self.acquisition.acquisition_id,
            version=self.acquisition.version,
            lane=self.lane,
            engines=tuple(use for use in uses if use is not None),
        )
