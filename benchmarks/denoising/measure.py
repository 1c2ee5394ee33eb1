# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Denoising: how good and how quick, the shipped network, classical filters and published networks alike.

Quality needs real slices (`slices`); where there are none, that is said and times are taken all the same.
Every time is of one slice of 512 x 512 on one thread, all by turns; a ratio is the median of the rounds'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

import cv2
import numpy as np
from pydicom import dcmread

from benchmarks.appliance_run import MeasuringError
from benchmarks.denoising.classical import FILTERS, Setting, tuned
from benchmarks.denoising.networks import RED_CNN, TASK, Denoise, ours, peers
from benchmarks.denoising.report import DenoisingReport, QualityRow, QualitySet, TimeRow
from benchmarks.denoising.slices import (
    TRAINED_RED_CNN,
    VARIABLE,
    Fold,
    folds_of,
    real_images,
    trained_red_cnn,
)
from benchmarks.engine_matrix.spent import Spent
from benchmarks.pieces.turns import MS_PER_S, by_turns
from benchmarks.plan import Workshop
from benchmarks.spread import median_ratio, spread_of
from benchmarks.studies import write_series
from export.reference.denoiser_quality import Quality, mean_quality, quality
from export.reference.denoiser_sets import Pair
from export.reference.low_dose import FloatArray

INPUT: Final = "input"
NOT_TRAINED: Final = (
    f"nobody trained it on these slices: there is no {TRAINED_RED_CNN} in the folder of real images"
    " (python -m export.reference.red_cnn; a GPU, or days)"
)
Say = Callable[[str], None]


def measure_denoising(workshop: Workshop) -> DenoisingReport:
    """Quality where there are real slices, then times."""
    data = real_images()
    trained = trained_red_cnn(data)
    with one_thread(), ExitStack() as owned:
        workshop.say("denoising: loading networks")
        shipped = dict(ours(owned, workshop.folder / "plans"))
        if not shipped:
            raise MeasuringError("The shipped denoiser loads in no engine here.")
        published = dict(peers(owned, workshop.folder, trained))
        judged = dict(shipped)
        if trained is not None:
            judged |= {name: run for name, run in published.items() if name.startswith(RED_CNN)}
        sets: dict[str, QualitySet] = {}
        slice_hu, settings = _drawn_slice(workshop), dict[str, Setting]()
        if data is not None:
            workshop.say("denoising: simulating low dose")
            folds = folds_of(data, most_of_a_patient=workshop.plan.denoised_of_a_patient)
            slice_hu = next(iter(folds.values()))[0].judged_on[0].low
            for name, own in folds.items():
                sets[name], chosen = _judge(name, own, judged, workshop.say)
                settings = settings or chosen
        runs = {name: _with(name, settings.get(name, one.middle), slice_hu) for name, one in FILTERS.items()}
        runs |= {name: _on(run, slice_hu) for name, run in {**shipped, **published}.items()}
        workshop.say("denoising: times by turns")
        spent = by_turns(runs, rounds=workshop.plan.engine_rounds, clock=workshop.clock)
    return DenoisingReport(
        skipped=None
        if data is not None
        else f"{VARIABLE} names no folder with ct/ct-normal-dose: times only, on a drawn slice",
        red_cnn=None if trained is not None else NOT_TRAINED,
        sets=sets,
        side_px=slice_hu.shape[0],
        times=time_rows(spent, tuple(shipped)),
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV computes alone meanwhile; everything else here is told so where it is loaded, or does anyway."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _drawn_slice(workshop: Workshop) -> FloatArray:
    (path,) = write_series(workshop.folder / "slice", slices=1)
    file = dcmread(path)
    hu = file.pixel_array * float(file.RescaleSlope) + float(file.RescaleIntercept)
    return np.asarray(hu, np.float32)


def _with(name: str, setting: Setting, slice_hu: FloatArray) -> Callable[[], object]:
    return lambda: FILTERS[name].filter(slice_hu, setting)


def _on(run: Denoise, slice_hu: FloatArray) -> Callable[[], object]:
    return lambda: run(slice_hu)


def _judge(
    name: str, folds: Sequence[Fold], networks: dict[str, Denoise], say: Say
) -> tuple[QualitySet, dict[str, Setting]]:
    """All methods, and the filters' settings of the first fold."""
    judged = [pair for fold in folds for pair in fold.judged_on]
    rows = [_row(INPUT, [pair.low for pair in judged], judged)]
    first: dict[str, Setting] = {}
    for method, one in FILTERS.items():
        say(f"denoising: {name}, {method}")
        settings = [tuned(one, fold.chosen_on) for fold in folds]
        made = [
            one.filter(pair.low, setting)
            for fold, setting in zip(folds, settings, strict=True)
            for pair in fold.judged_on
        ]
        rows.append(_row(method, made, judged, tuple(one.words(setting) for setting in settings)))
        first[method] = settings[0]
    for method, run in networks.items():
        say(f"denoising: {name}, {method}")
        rows.append(_row(method, [run(pair.low) for pair in judged], judged))
    best = max(row.psnr_db for row in rows if row.method in FILTERS)
    own = max(row.psnr_db for row in rows if row.method.startswith(TASK))
    chosen_on = sum(len(fold.chosen_on) for fold in folds)
    made_of = QualitySet(
        chosen_on=chosen_on, judged_on=len(judged), rows=tuple(rows), gain_db=round(own - best, 3)
    )
    return made_of, first


def _row(
    method: str, made: Sequence[FloatArray], pairs: Sequence[Pair], settings: tuple[str, ...] = ()
) -> QualityRow:
    measured: list[Quality] = [quality(image, pair.routine) for image, pair in zip(made, pairs, strict=True)]
    means = mean_quality(measured)
    return QualityRow(
        method=method,
        settings=settings,
        psnr_db=round(means["psnr_db"], 3),
        ssim=round(means["ssim"], 4),
        rmse_hu=round(means["rmse_hu"], 3),
        texture_ratio=round(means["texture_ratio"], 3),
    )


def time_rows(spent: dict[str, list[Spent]], shipped: Sequence[str]) -> dict[str, TimeRow]:
    """By method, against the quickest of `shipped`."""
    walls = {name: [one.wall_s for one in own] for name, own in spent.items()}
    cpus = {name: [one.cpu_s for one in own] for name, own in spent.items()}
    quickest = min(shipped, key=lambda name: float(np.median(walls[name])))
    return {
        name: TimeRow(
            ms=spread_of(wall_s * MS_PER_S for wall_s in walls[name]),
            cpu_ms=round(float(np.median(cpus[name])) * MS_PER_S, 3),
            times_ours=median_ratio(walls[name], walls[quickest]),
            cpu_times_ours=median_ratio(cpus[name], cpus[quickest]),
        )
        for name in spent
    }
