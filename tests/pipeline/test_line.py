# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who may answer in which lane, and what is said where nobody may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.errors import EngineError, InputError
from appliance.pipeline.bench import Bench
from appliance.pipeline.line import EMPTY_TRIAGE, run_lane
from appliance.tasks.admission import NO_MODEL
from tests.line_parts import ArrayFrames, Shelf, Slice
from tests.tiny_bundles import marking_model

MakeAcquisition = Callable[..., Acquisition]
NEVER_READ: Slice = InputError("Nobody should look.", remedy="")
CHEST = {"body_part": "CHEST", "view_position": "PA", "patient": {"age_years": 50.0}}


def refused(result: LaneResult) -> dict[str, str]:
    return {refusal.task: refusal.reason for refusal in result.refusals}


@pytest.fixture
def cards(shelf: Shelf, chest_card: ModelCard) -> Shelf:
    """Cards of both triage models; nothing is loaded."""
    hands = replace(
        chest_card,
        task="fracture_triage",
        intended_use=replace(chest_card.intended_use, body_parts=("HAND",), view_positions=()),
    )
    shelf.cards = {"chest_triage": chest_card, "fracture_triage": hands}
    return shelf


def triage(acquisition: Acquisition, bench: Bench) -> LaneResult:
    return run_lane(Lane.TRIAGE, acquisition, ArrayFrames([NEVER_READ]), bench)


def test_without_models_each_triage_task_says_so(make_acquisition: MakeAcquisition, bench: Bench) -> None:
    result = triage(make_acquisition(**CHEST), bench)
    assert refused(result) == {"chest_triage": NO_MODEL, "fracture_triage": NO_MODEL}
    assert (result.acquisition_id, result.version, result.lane) == ("a", 1, Lane.TRIAGE)


def test_the_model_for_another_body_part_is_no_news_where_one_is_for_this(
    make_acquisition: MakeAcquisition, bench: Bench, cards: Shelf
) -> None:
    child = make_acquisition(**CHEST | {"patient": {"age_years": 7.0}})
    assert list(refused(triage(child, bench))) == ["chest_triage"]
    assert "7 years" in refused(triage(child, bench))["chest_triage"]


def test_a_body_part_that_no_model_is_for_is_told_by_all(
    make_acquisition: MakeAcquisition, bench: Bench, cards: Shelf
) -> None:
    skull = make_acquisition(**CHEST | {"body_part": "SKULL"})
    reasons = refused(triage(skull, bench))
    assert set(reasons) == {"chest_triage", "fracture_triage"}
    assert all("SKULL" in reason for reason in reasons.values())


def test_an_unknown_body_part_is_told_by_all(
    make_acquisition: MakeAcquisition, bench: Bench, cards: Shelf
) -> None:
    reasons = refused(triage(make_acquisition(**CHEST | {"body_part": None}), bench))
    assert set(reasons) == {"chest_triage", "fracture_triage"}


def test_a_series_hears_that_there_is_no_triage_for_it(
    make_acquisition: MakeAcquisition, bench: Bench, cards: Shelf
) -> None:
    mr = make_acquisition(Kind.VOLUME, count=3, modality="MR")
    assert refused(triage(mr, bench)) == {EMPTY_TRIAGE: "This device has no triage model for MR series."}


def test_a_series_that_may_not_be_denoised_hears_why(
    make_acquisition: MakeAcquisition, bench: Bench, denoise_card: ModelCard, shelf: Shelf
) -> None:
    mr = make_acquisition(Kind.VOLUME, count=3, modality="MR")
    frames = ArrayFrames([NEVER_READ] * 3)
    assert refused(run_lane(Lane.DENOISE, mr, frames, bench)) == {"ct_denoise": NO_MODEL}
    shelf.cards["ct_denoise"] = denoise_card
    (reason,) = refused(run_lane(Lane.DENOISE, mr, frames, bench)).values()
    assert "MR" in reason


def test_a_radiograph_is_not_denoised_and_nobody_makes_a_fuss(
    make_acquisition: MakeAcquisition, bench: Bench
) -> None:
    result = run_lane(Lane.DENOISE, make_acquisition(**CHEST), ArrayFrames([NEVER_READ]), bench)
    assert (result.refusals, result.derived, result.engines) == ((), (), ())


def test_quality_control_that_answers_for_this_body_part_is_not_outvoted(
    chest: tuple[Acquisition, PixelImage], bench: Bench
) -> None:
    acquisition, image = chest
    result = run_lane(Lane.QUALITY, acquisition, ArrayFrames([image]), bench)
    assert result.quality
    assert result.refusals == ()


def test_a_series_that_quality_control_does_not_know_says_so_and_is_shown(
    ct: tuple[Acquisition, tuple[PixelImage, ...]], bench: Bench
) -> None:
    acquisition, images = ct
    first = replace(acquisition.first, modality="MR")
    mr = replace(acquisition, instances=(first,) * len(acquisition.instances))
    result = run_lane(Lane.QUALITY, mr, ArrayFrames(images), bench)
    assert result.quality == ()
    assert "MR" in refused(result)["quality_ct"]
    assert (bench.layout.view_of(mr.acquisition_id, mr.version) / "pixels.npy").exists()


def test_a_model_that_no_engine_serves_is_an_engine_error_of_the_lane(
    chest: tuple[Acquisition, PixelImage], bench: Bench, cards: Shelf
) -> None:
    acquisition, image = chest
    with pytest.raises(EngineError, match="No engine for chest_triage"):
        run_lane(Lane.TRIAGE, acquisition, ArrayFrames([image]), bench)


def test_only_the_model_of_this_body_part_is_loaded_and_asked(
    chest: tuple[Acquisition, PixelImage], bench: Bench, cards: Shelf, chest_card: ModelCard, tmp_path: Path
) -> None:
    acquisition, image = chest
    cards.put(chest_card, marking_model(), tmp_path)
    result = run_lane(Lane.TRIAGE, acquisition, ArrayFrames([image]), bench)
    assert {finding.task for finding in result.findings} == {"chest_triage"}
    assert result.refusals == ()


def test_a_bundle_with_a_task_of_its_own_answers_beside_the_others(
    chest: tuple[Acquisition, PixelImage], bench: Bench, cards: Shelf, chest_card: ModelCard, tmp_path: Path
) -> None:
    acquisition, image = chest
    cards.put(chest_card, marking_model(), tmp_path)
    cards.put(replace(chest_card, task="lung_nodule"), marking_model(), tmp_path)
    result = run_lane(Lane.TRIAGE, acquisition, ArrayFrames([image]), bench)
    assert {finding.task for finding in result.findings} == {"chest_triage", "lung_nodule"}
    assert {use.task for use in result.engines} == {"chest_triage", "lung_nodule"}
