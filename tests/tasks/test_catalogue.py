# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks are found by their folder; each has its lane, its kind of image and the methods of its protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

import appliance.tasks
from appliance.domain.acquisition import Kind
from appliance.domain.job import Lane
from appliance.tasks.base import AnyTask
from appliance.tasks.catalogue import (
    every_task,
    looks_at,
    makes_frames,
    measures_series,
    tasks_for,
)

EXPECTED = {
    (Lane.QUALITY, Kind.PROJECTION): {"quality_chest", "quality_extremity", "quality_radiograph"},
    (Lane.QUALITY, Kind.VOLUME): {"quality_ct"},
    (Lane.TRIAGE, Kind.PROJECTION): {"chest_triage", "fracture_triage"},
    (Lane.TRIAGE, Kind.VOLUME): set(),
    (Lane.DENOISE, Kind.PROJECTION): set(),
    (Lane.DENOISE, Kind.VOLUME): {"ct_denoise"},
}


@pytest.mark.parametrize(("lane", "kind"), EXPECTED, ids=lambda value: value.value)
def test_each_lane_has_its_tasks_for_each_kind_of_image(lane: Lane, kind: Kind) -> None:
    assert {task.name for task in tasks_for(lane, kind)} == EXPECTED[lane, kind]


def test_every_task_is_in_exactly_one_place() -> None:
    placed = [task.name for lane in Lane for kind in Kind for task in tasks_for(lane, kind)]
    assert sorted(placed) == [task.name for task in every_task()]
    assert len(placed) == len(set(placed))


@pytest.mark.parametrize("task", every_task(), ids=lambda task: task.name)
def test_a_task_has_the_methods_of_its_protocol_and_the_name_of_its_folder(task: AnyTask) -> None:
    methods = {"accepts"} | ({"measure", "conclude"} if measures_series(task) else {"prepare", "interpret"})
    assert all(callable(getattr(task, method)) for method in methods)
    assert any((Path(folder) / task.name / "__init__.py").exists() for folder in appliance.tasks.__path__)
    assert (looks_at(task) is Kind.VOLUME) == (measures_series(task) or makes_frames(task))
    assert task.lane is Lane.QUALITY or task.model, "triage and denoising answer with a model"
