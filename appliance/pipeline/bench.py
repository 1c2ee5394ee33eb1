# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a lane works with, and what it has at hand for one piece of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.clock import Clock
from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.expected import Expectation
from appliance.domain.finding import LocalThreshold
from appliance.domain.image import FrameSource
from appliance.domain.job import Lane
from appliance.domain.result import EngineUse, LaneResult
from appliance.engines.base import Engine, Tensors
from appliance.errors import EngineError, EngineLostError
from appliance.layout import Layout
from appliance.models.served import Served
from appliance.pipeline.spans import Spans
from appliance.tasks.base import AnyTask


class Models(Protocol):
    """Where the line gets its models from."""

    def tasks(self) -> tuple[str, ...]:
        """Tasks that have a bundle."""

    def card(self, task: str) -> ModelCard | None:
        """The card of the task's model, nothing loaded; None when none is installed."""

    def served(self, task: str) -> Served:
        """The model of a task, proven and loaded. Raises EngineError when no engine can serve it."""

    def give_up(self, task: str, reason: str, *, engine: Engine | None = None) -> None:
        """The engine of this task has failed: the next call of `served` takes the one after it.

        `engine`: the one that failed; another one that serves by now stays.
        """


class Orders(Protocol):
    """Where the line hears what was expected."""

    def expectation(self, acquisition: Acquisition) -> Expectation:
        """What was expected of this acquisition. Raises StoreError."""


class NoOrders:
    """There is no worklist."""

    def expectation(self, acquisition: Acquisition) -> Expectation:
        """Nothing is known."""
        del acquisition
        return Expectation()


def as_signed(card: ModelCard) -> Mapping[tuple[str, str], LocalThreshold]:
    """For those who know no site: the thresholds of the card hold."""
    del card
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The tools of a process that runs lanes."""

    models: Models
    clock: Clock
    layout: Layout
    between: Callable[[], None]
    """Called between slices: renews the lease, and lets more urgent work go first."""
    orders: Orders = NoOrders()  # noqa: RUF009  (it has no state)
    thresholds: Callable[[ModelCard], Mapping[tuple[str, str], LocalThreshold]] = as_signed
    """Operating points that the site has moved, by value and scheme of the finding's code."""


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
            engine=self.served.description.words,
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
        return self.bench.layout.view_of(self.acquisition.acquisition_id, self.acquisition.version)

    @property
    def derived(self) -> Path:
        """Folder of the objects made of this version."""
        return self.bench.layout.results_of(self.acquisition.acquisition_id, self.acquisition.version)

    def infer(self, answering: Answering, inputs: Tensors) -> Tensors:
        """What the task's model says; nothing for a task without one. Raises EngineError."""
        if answering.served is None:
            return {}
        with self.trusting(answering):
            return answering.served.engine.infer(inputs)

    @contextmanager
    def trusting(self, answering: Answering) -> Iterator[None]:
        """Whatever depends on the task's engine: it fails, or its answer turns out not to be one.

        On EngineError the engine is given up, and the job's next try has the one after it.
        """
        try:
            yield
        except EngineError as error:
            if answering.served is not None and answering.task.model is not None:
                self.bench.models.give_up(answering.task.model, error.what, engine=answering.served.engine)
                if isinstance(error, EngineLostError):
                    name = answering.served.passport.engine
                    raise EngineLostError(error.what, remedy=error.remedy, engine=name) from error
            raise

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
