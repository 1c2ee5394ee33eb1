# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The naive pipeline is slow, not wrong: a ratio to a wrong answer would mean nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from appliance.clock import Clock, SystemClock
from appliance.models.registry import shipped_models
from appliance.pipeline.spans import Spans
from appliance.selftest.phantom_ct import CtPlan, write_ct
from benchmarks.arrival import copy_slowly, rename_in
from benchmarks.naive import Naive
from benchmarks.naive_models import NaiveModel, read_models, write_models
from benchmarks.naive_radiograph import letterbox, measure_quality, read_radiograph, triage
from benchmarks.naive_run import running_naive, shipped_for_naive
from benchmarks.naive_series import measure_series, read_series
from benchmarks.studies import RADIOGRAPHS, Study, new_arrival, write_series


def test_models_are_read_as_written(classifier: NaiveModel, denoiser: NaiveModel, tmp_path: Path) -> None:
    write_models(tmp_path / "models.json", (classifier, denoiser))
    assert read_models(tmp_path / "models.json") == {"chest_triage": classifier, "ct_denoise": denoiser}


def test_every_syntax_gives_the_same_answer(radiographs: dict[str, Path], classifier: NaiveModel) -> None:
    answers = []
    for name in RADIOGRAPHS:
        spans = Spans(SystemClock())
        dataset, shown = read_radiograph(radiographs[name], spans)
        quality = measure_quality(dataset, shown, classifier, spans)
        answers.append((quality, triage(shown, classifier, spans)))
        assert {timing.stage for timing in spans.timings()} == {
            "decode",
            "display",
            "measure",
            "prepare",
            "session",
            "infer",
        }
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0]["identity"]


def test_the_square_keeps_aspect_and_range(classifier: NaiveModel) -> None:
    ramp = np.tile(np.linspace(0.0, 1000.0, 200), (100, 1))
    square = letterbox(ramp, classifier)[0, 0]
    assert square.shape == (32, 32)
    assert not square[:8].any()
    assert not square[24:].any()
    assert (np.diff(square[16]) > 0).all()
    assert square.max() == pytest.approx(1.0, abs=0.02)


def test_the_probability_is_platts(radiographs: dict[str, Path], classifier: NaiveModel) -> None:
    spans = Spans(SystemClock())
    _, shown = read_radiograph(radiographs["dx_raw"], spans)
    mean = float(letterbox(shown, classifier).mean())
    expected = 1 / (1 + np.exp(-(2.0 * mean - 1.0)))
    assert triage(shown, classifier, spans)["brightness"] == pytest.approx(expected, abs=1e-5)


def test_a_missing_slice_and_noise_are_measured(tmp_path: Path) -> None:
    quiet = write_ct(tmp_path / "quiet", CtPlan(slices=8, noise_hu=4.0))
    faulty = write_ct(tmp_path / "faulty", CtPlan(slices=8, noise_hu=16.0, missing=(4,)))
    spans = Spans(SystemClock())
    first = measure_series(*read_series(list(quiet.paths), spans), spans)
    second = measure_series(*read_series(list(faulty.paths), spans), spans)
    assert first["largest_gap_mm"] == pytest.approx(5.0)
    assert second["largest_gap_mm"] == pytest.approx(10.0)
    assert 2.5 < second["noise_hu"] / first["noise_hu"] < 4.5


def test_a_series_starts_when_its_count_is_reached(denoiser: NaiveModel, tmp_path: Path) -> None:
    study = new_arrival(write_series(tmp_path / "template", slices=3), tmp_path / "arrival")
    results = tmp_path / "results"
    results.mkdir()
    naive = Naive(results, {"ct_denoise": denoiser}, SystemClock())
    for path in study.files[:2]:
        naive.take(path)
    assert not list(results.iterdir())
    naive.take(study.files[2])
    answer = json.loads((results / f"{study.study_instance_uid}.json").read_text(encoding="utf-8"))
    assert answer["quality_ns"] < answer["first_slice_ns"] < answer["done_ns"]
    written = sorted((results / study.study_instance_uid).iterdir())
    assert len(written) == 3
    before, after = dcmread(study.files[-1]), dcmread(written[0])
    assert after.SeriesInstanceUID != before.SeriesInstanceUID
    assert np.std(after.pixel_array[200:300, 200:300]) < np.std(before.pixel_array[200:300, 200:300])


@pytest.mark.parametrize("deliver", [rename_in, copy_slowly])
def test_the_running_process_answers_a_file(
    radiographs: dict[str, Path],
    classifier: NaiveModel,
    tmp_path: Path,
    deliver: Callable[[Study, Path, Clock], int],
) -> None:
    clock = SystemClock()
    study = new_arrival((radiographs["dx_htj2k"],), tmp_path / "arrivals")
    with running_naive(tmp_path / "naive", clock, (classifier,)) as naive:
        closed_ns = deliver(study, naive.inbox, clock)
        answer = naive.wait_for_study(study.study_instance_uid, closed_ns=closed_ns, timeout_s=30)
    assert 0 < answer.quality_ms < answer.done_ms
    assert sum(answer.stages_ms.values()) <= answer.done_ms
    assert 0 < answer.probabilities["brightness"] < 1
    assert answer.first_slice_ms is None


def test_it_has_the_appliances_own_models() -> None:
    models = {model.task: model for model in shipped_for_naive()}
    triage_model = models["chest_triage"]
    assert triage_model.size_px is not None
    assert triage_model.labels
    assert Path(triage_model.onnx).is_relative_to(shipped_models())
    assert models["ct_denoise"].size_px is None
    assert "fracture_triage" not in models
