# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks are found by their folder; each has its lane, its kind of image and the methods of its protocol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import appliance.tasks
from appliance.domain.acquisition import Kind
from appliance.domain.card import ModelCard
from appliance.domain.job import Lane
from appliance.tasks.base import AnyTask
from appliance.tasks.catalogue import (
    every_task,
    looks_at,
    makes_frames,
    measures_series,
    tasks_for,
    tasks_of_bundles,
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


def test_a_classifier_that_no_folder_asks_for_is_a_triage_task_of_its_own(chest_card: ModelCard) -> None:
    mine = replace(chest_card, task="hip_fracture")
    names = [task.name for task in tasks_for(Lane.TRIAGE, Kind.PROJECTION, [chest_card, mine])]
    assert names == ["chest_triage", "fracture_triage", "hip_fracture"]
    assert tasks_for(Lane.QUALITY, Kind.PROJECTION, [mine]) == tasks_for(Lane.QUALITY, Kind.PROJECTION)
    assert tasks_for(Lane.TRIAGE, Kind.VOLUME, [mine]) == ()


def test_a_bundle_that_is_no_classifier_of_radiographs_makes_no_task(
    chest_card: ModelCard, denoise_card: ModelCard
) -> None:
    mine = replace(chest_card, task="mine")
    logits, heatmap = mine.outputs
    for unfit in (
        replace(denoise_card, task="mr_denoise"),
        replace(mine, labels=()),
        replace(mine, outputs=(heatmap,)),
        replace(mine, outputs=(logits, replace(logits, name="boxes"))),
        replace(mine, inputs=(replace(mine.inputs[0], name="volume"),)),
        replace(mine, outputs=(logits,)),  # its card says that it draws, and there is nothing to draw from
    ):
        assert tasks_of_bundles([unfit]) == ()
    quiet = replace(mine, outputs=(logits,), intended_use=replace(mine.intended_use, draws_location=False))
    assert [task.name for task in tasks_of_bundles([quiet])] == ["mine"]
