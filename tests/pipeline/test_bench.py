# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that fails, or whose answer turns out not to be one, is given up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from appliance.clock import ManualClock
from appliance.domain.card import ModelCard
from appliance.domain.job import Lane
from appliance.engines.base import Engine
from appliance.errors import EngineError
from appliance.layout import Layout
from appliance.models.served import Served
from appliance.pipeline.bench import Answering, Bench, Work
from appliance.pipeline.spans import Spans
from appliance.tasks.ct_denoise import TASK


@dataclass
class Remembering:
    """Models that remember what was given up."""

    given_up: list[tuple[str, str]] = field(default_factory=list)

    def tasks(self) -> tuple[str, ...]:
        raise AssertionError

    def card(self, task: str) -> ModelCard | None:
        raise AssertionError(task)

    def served(self, task: str) -> Served:
        raise AssertionError(task)

    def give_up(self, task: str, reason: str, *, engine: Engine | None = None) -> None:
        self.given_up.append((task, reason))


def work_with(models: Remembering, tmp_path: Any) -> Work:
    clock = ManualClock()
    bench = Bench(models=models, clock=clock, layout=Layout(data=tmp_path), between=lambda: None)
    nothing: Any = None
    return Work(
        lane=Lane.DENOISE,
        acquisition=nothing,
        frames=nothing,
        answering=(),
        bench=bench,
        spans=Spans(clock),
    )


def test_an_engine_whose_answer_is_none_is_given_up(tmp_path: Any) -> None:
    models = Remembering()
    served = Served(card=object(), engine=object(), passport=object(), fallback_reason=None)  # type: ignore[arg-type]
    work = work_with(models, tmp_path)
    with pytest.raises(EngineError), work.trusting(Answering(task=TASK, served=served)):
        raise EngineError("3 values are not numbers.", remedy="")
    assert models.given_up == [("ct_denoise", "3 values are not numbers.")]


def test_a_task_without_a_model_has_no_engine_to_give_up(tmp_path: Any) -> None:
    models = Remembering()
    work = work_with(models, tmp_path)
    with pytest.raises(EngineError), work.trusting(Answering(task=TASK, served=None)):
        raise EngineError("No answer.", remedy="")
    assert models.given_up == []
    assert work.infer(Answering(task=TASK, served=None), {}) == {}
