# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Filters are tuned on other patients than they are judged on, the peers are what they are called, and a
machine without real slices gets times and the reason."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from appliance.clock import SystemClock
from benchmarks.denoising import measure as denoising
from benchmarks.denoising.classical import FILTERS, tuned
from benchmarks.denoising.networks import as_served, bare, ours, write_dncnn
from benchmarks.denoising.slices import (
    TRAINED_RED_CNN,
    VARIABLE,
    patient_by_patient,
    simulated_folds,
    spread_over,
)
from benchmarks.engine_matrix.flops import count_work
from benchmarks.engine_matrix.spent import Spent
from benchmarks.plan import QUICK, Workshop
from export.reference.ct_slices import Slice, SliceSet
from export.reference.denoiser_quality import body, psnr_db
from export.reference.denoiser_sets import Pair
from export.reference.red_cnn_graph import random_weights, sizes, write_red_cnn

SIDE_PX = 96


@pytest.fixture(scope="module")
def pair() -> Pair:
    """A disc of water in air, with much white noise."""
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX] - SIDE_PX / 2
    routine = np.where(np.hypot(rows, columns) < 40, 40.0, -1000.0).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 60, routine.shape).astype(np.float32)
    return Pair(name="drawn", group="one", low=routine + noise, routine=routine)


def test_every_filter_takes_noise_away_with_the_setting_that_is_best(pair: Pair) -> None:
    for name, one in FILTERS.items():
        chosen = tuned(one, [pair])
        made = one.filter(pair.low, chosen)
        before, after = (psnr_db(image, pair.routine, body(pair.routine)) for image in (pair.low, made))
        assert made.dtype == np.float32, name
        assert after > before + 1, f"{name} {one.words(chosen)}"
        assert chosen in one.settings
    with pytest.raises(ValueError, match="nothing to tune"):
        tuned(FILTERS["median"], [])


def test_the_peers_have_the_work_of_their_papers(tmp_path: Path) -> None:
    write_dncnn(tmp_path / "dncnn.onnx")
    write_red_cnn(random_weights(), tmp_path / "red_cnn.onnx")
    shape = {"slice": (1, 1, 512, 512)}
    assert count_work(tmp_path / "dncnn.onnx", shape).flop == pytest.approx(290.5e9, rel=0.01)
    assert count_work(tmp_path / "red_cnn.onnx", shape).flop == pytest.approx(917e9, rel=0.01)
    layers = [node.op_type for node in onnx.load(tmp_path / "red_cnn.onnx").graph.node]
    assert layers.count("Conv") == layers.count("ConvTranspose") == len(sizes()) // 2 == 5


def test_the_shipped_denoiser_is_measured_as_it_is_served(pair: Pair, tmp_path: Path) -> None:
    with ExitStack() as owned:
        runs = dict(ours(owned, tmp_path))
        assert "ct_denoise ort fp32" in runs
        made = runs["ct_denoise ort fp32"](pair.low)
    assert np.abs(made - pair.low).max() > 1
    far_off = pair.low + np.float32(500.0)
    assert np.abs(as_served(pair.low, far_off) - pair.low).max() < 300, "the task's bound holds"


def test_a_slice_comes_back_in_its_own_size(tmp_path: Path) -> None:
    from appliance.engines.catalogue import load_engine  # noqa: PLC0415 - not every test loads one

    write_red_cnn(random_weights(channels=2), tmp_path / "small.onnx")
    with load_engine("ort", tmp_path / "small.onnx", threads=1) as engine:
        slice_hu = np.zeros((45, 50), np.float32)
        assert bare(engine, multiple_of_px=4)(slice_hu).shape == (45, 50)


def test_nobody_is_judged_with_what_was_chosen_on_him() -> None:
    drawn_hu = np.where(np.hypot(*np.mgrid[-96:96, -96:96]) < 80, 40, -1000).astype(np.int16)
    drawn = SliceSet(
        slices=tuple(
            Slice(
                file=f"{patient}.dcm",
                patient=patient,
                spacing_mm=1.6,
                own_noise_hu=12.0,
                held_out=patient == "aside",
                blurs_px=(0.5,),
            )
            for patient in ("taught", "aside")
        ),
        hu=np.stack([drawn_hu] * 2),
        noise=np.random.default_rng(1).standard_normal((2, 1, *drawn_hu.shape)).astype(np.float16),
    )
    for name, (fold,) in simulated_folds(drawn).items():
        assert [pair.group for pair in fold.chosen_on] == ["taught"], name
        assert [pair.group for pair in fold.judged_on] == ["aside"], name


def test_each_patient_of_the_real_pairs_is_judged_with_what_was_chosen_on_the_others(pair: Pair) -> None:
    groups = ("A_sharp", "B_sharp", "A_smooth")
    folds = patient_by_patient([replace(pair, group=group) for group in groups])
    assert [[one.group for one in fold.judged_on] for fold in folds] == [["A_sharp", "A_smooth"], ["B_sharp"]]
    assert [[one.group for one in fold.chosen_on] for fold in folds] == [["B_sharp"], ["A_sharp", "A_smooth"]]


def test_slices_are_spread_over_all() -> None:
    rows = [{"file": str(number)} for number in range(9)]
    assert [row["file"] for row in spread_over(rows, 3)] == ["0", "4", "8"]
    assert spread_over(rows, 99) == rows


def test_ratios_are_to_the_quickest_of_ours() -> None:
    def spent(*wall_s: float) -> list[Spent]:
        return [Spent(wall_s=value, cpu_s=value / 2) for value in wall_s]

    rows = denoising.time_rows(
        {"slow ours": spent(4.0, 4.0), "ours": spent(2.0, 1.0), "peer": spent(20.0, 10.0)},
        ("slow ours", "ours"),
    )
    assert rows["peer"].times_ours == rows["peer"].cpu_times_ours == 10.0
    assert rows["ours"].times_ours == 1.0


def test_without_real_slices_there_are_times_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(denoising, "peers", lambda *_: iter(()))  # they take a minute
    monkeypatch.setattr(denoising, "FILTERS", {"gaussian": FILTERS["gaussian"]})
    workshop = Workshop(
        plan=replace(QUICK, engine_rounds=1),
        folder=tmp_path,
        kept=tmp_path,
        clock=SystemClock(),
        say=lambda _: None,
    )
    found = denoising.measure_denoising(workshop)
    assert found.sets == {}
    assert found.skipped is not None
    assert VARIABLE in found.skipped
    assert found.red_cnn is not None
    assert str(TRAINED_RED_CNN) in found.red_cnn
    assert found.side_px == 512
    assert {"gaussian", "ct_denoise ort fp32"} <= found.times.keys()
