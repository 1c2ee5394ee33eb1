# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Exactly one task looks at each CR or DX radiograph, and each refusal says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.selftest.phantom_radiograph import write_chest
from appliance.tasks.catalogue import tasks_for

PARTS = {
    None: "quality_chest",
    "CHEST": "quality_chest",
    "thorax": "quality_chest",
    "HAND": "quality_extremity",
    "UPPER_ARM": "quality_extremity",
    "KNEE": "quality_extremity",
    "SKULL": "quality_radiograph",
    "ABDOMEN": "quality_radiograph",
    "HIP": "quality_radiograph",
    "LSPINE": "quality_radiograph",
    "SOMETHING": "quality_radiograph",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chest(tmp_path_factory.mktemp("p") / "c.dcm", rows=150, columns=125).path


def _tagged(acquisition: Acquisition, **known: object) -> Acquisition:
    return replace(acquisition, instances=(replace(acquisition.first, **known),))  # type: ignore[arg-type]  # test data


def test_exactly_one_task_takes_each_part(
    path: Path, radiograph: Callable[[Path], tuple[Acquisition, PixelImage]]
) -> None:
    acquisition, image = radiograph(path)
    for modality in ("CR", "DX"):
        for part, expected in PARTS.items():
            tagged = _tagged(acquisition, body_part=part, modality=modality)
            takers = [t for t in tasks_for(Lane.QUALITY, Kind.PROJECTION) if t.accepts(tagged, None) is None]
            assert [task.name for task in takers] == [expected], part
            answer = takers[0].interpret(tagged, image, {}, None)
            names = [check.criterion for check in answer.quality]
            assert len(names) == len(set(names))
            assert {"field_of_view", "exposure", "noise", "identity", "blank_exposure"} <= set(names)


@pytest.mark.parametrize("modality", ["MG", "PX", "RF", "US", "CT", ""])
def test_other_modalities_are_refused_with_a_reason(
    path: Path, radiograph: Callable[[Path], tuple[Acquisition, PixelImage]], modality: str
) -> None:
    tagged = _tagged(radiograph(path)[0], modality=modality)
    for task in tasks_for(Lane.QUALITY, Kind.PROJECTION):
        refusal = task.accepts(tagged, None)
        assert refusal is not None
        assert modality in refusal.reason


def test_colour_and_many_frames_are_refused(
    path: Path, radiograph: Callable[[Path], tuple[Acquisition, PixelImage]]
) -> None:
    acquisition, _ = radiograph(path)
    pixels = acquisition.first.pixels
    assert pixels is not None
    odd = (None, replace(pixels, samples_per_pixel=3), replace(pixels, number_of_frames=12))
    for other in odd:
        for task in tasks_for(Lane.QUALITY, Kind.PROJECTION):
            assert task.accepts(_tagged(acquisition, pixels=other), None) is not None
