# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One radiograph: quality control lays the picture out, triage adds findings and where they lie."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.finding import Decision
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.record import from_json
from appliance.domain.view import VIEW_FILE, View
from appliance.errors import EngineError, InputError
from appliance.layout import Layout
from appliance.pipeline.bench import Bench
from appliance.pipeline.line import run_lane
from tests.line_parts import ArrayFrames, Shelf
from tests.tiny_bundles import marking_model

Radiograph = tuple[Acquisition, PixelImage]
BRIGHT, DARK = "60046008", "36118008"
"""Codes of the labels that the network of the test always flags, and never."""


@pytest.fixture
def triage(shelf: Shelf, chest_card: ModelCard, tmp_path: Path) -> Shelf:
    shelf.put(chest_card, marking_model(), tmp_path)
    return shelf


def view_in(layout: Layout, acquisition: Acquisition) -> View:
    folder = layout.view_of(acquisition.acquisition_id, acquisition.version)
    return from_json(View, (folder / VIEW_FILE).read_text(encoding="utf-8"))


def test_quality_control_needs_no_model_and_lays_the_picture_out(
    chest: Radiograph, bench: Bench, layout: Layout
) -> None:
    acquisition, image = chest
    result = run_lane(Lane.QUALITY, acquisition, ArrayFrames([image]), bench)
    assert result.quality
    assert (result.findings, result.refusals) == ((), ())
    assert view_in(layout, acquisition).heatmaps == {}
    assert [timing.stage for timing in result.timings] == [
        "decoded",
        "prepared",
        "inferred",
        "interpreted",
        "written",
    ]


def test_what_is_flagged_has_its_heatmap_in_result_and_view(
    chest: Radiograph, bench: Bench, layout: Layout, triage: Shelf
) -> None:
    acquisition, image = chest
    run_lane(Lane.QUALITY, acquisition, ArrayFrames([image]), bench)
    result = run_lane(Lane.TRIAGE, acquisition, ArrayFrames([image]), bench)
    found = {finding.code.value: finding for finding in result.findings}
    assert {code: finding.decision for code, finding in found.items()} == {
        BRIGHT: Decision.PRESENT,
        DARK: Decision.ABSENT,
    }
    assert found[DARK].heatmap_path is None
    assert found[BRIGHT].heatmap_path is not None
    drawn = cv2.imread(str(layout.data / found[BRIGHT].heatmap_path), cv2.IMREAD_UNCHANGED)
    rows, columns = image.shape
    assert drawn.shape[0] / drawn.shape[1] == pytest.approx(rows / columns, rel=0.01)
    assert drawn.max() > 200
    assert list(view_in(layout, acquisition).heatmaps) == [BRIGHT]
    assert [use.task for use in result.engines] == ["chest_triage"]
    assert [timing.stage for timing in result.timings] == [
        "decoded",
        "prepared",
        "inferred",
        "interpreted",
        "written",
    ]


def test_pixels_that_cannot_be_read_are_the_inputs_fault(chest: Radiograph, bench: Bench) -> None:
    acquisition, _ = chest
    damaged = ArrayFrames([InputError("The codestream is cut.", remedy="")])
    with pytest.raises(InputError, match="codestream"):
        run_lane(Lane.QUALITY, acquisition, damaged, bench)


def test_where_nothing_may_answer_nothing_is_decoded(chest: Radiograph, bench: Bench) -> None:
    acquisition, _ = chest
    result = run_lane(Lane.TRIAGE, acquisition, ArrayFrames([InputError("Never read.", remedy="")]), bench)
    assert result.refusals
    assert result.timings == ()


def test_an_engine_that_answers_nonsense_is_given_up(
    chest: Radiograph, bench: Bench, shelf: Shelf, chest_card: ModelCard, tmp_path: Path
) -> None:
    acquisition, image = chest
    model = marking_model()
    entry = model.metadata_props.add()
    entry.key, entry.value = "scanside.fault", "nan"
    shelf.put(chest_card, model, tmp_path, engine="faulty")
    with pytest.raises(EngineError, match="not numbers"):
        run_lane(Lane.TRIAGE, acquisition, ArrayFrames([image]), bench)
    assert [task for task, _ in shelf.given_up] == ["chest_triage"]
    with pytest.raises(EngineError, match="No engine"):
        run_lane(Lane.TRIAGE, acquisition, ArrayFrames([image]), bench)
