# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Small files and tiny real models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from appliance.config import MIB
from appliance.domain.result import EngineUse
from benchmarks.backlog import BacklogReport
from benchmarks.engine_matrix.spent import Spent
from benchmarks.idle import IdleReport
from benchmarks.latency import RadiographLatency, RadiographReport
from benchmarks.machine import describe_machine
from benchmarks.memory import MemoryUse
from benchmarks.naive_models import NaiveLabel, NaiveModel
from benchmarks.peak_hour import Hour, KindOfArrival, PeakHourReport, QueueLook
from benchmarks.pieces.report import PiecesReport
from benchmarks.pieces.starting import StartReport
from benchmarks.pieces.turns import piece_of
from benchmarks.pieces.watching import WatchReport
from benchmarks.report import Measured
from benchmarks.series import SeriesReport
from benchmarks.spread import spread_of
from benchmarks.studies import RADIOGRAPHS, write_radiographs

ROWS, COLUMNS = 300, 250
SIZE_PX = 32


@pytest.fixture(scope="session")
def radiographs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small chest in every transfer syntax that is measured."""
    return write_radiographs(tmp_path_factory.mktemp("radiographs"), rows=ROWS, columns=COLUMNS)


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> NaiveModel:
    """Its one logit is the mean of its square."""
    path = tmp_path_factory.mktemp("model") / "mean.onnx"
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["logits"]),
        ],
        "mean",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, SIZE_PX, SIZE_PX])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])],
    )
    onnx.save(_model(graph), path)
    return NaiveModel(
        task="chest_triage",
        onnx=str(path),
        input_name="image",
        size_px=SIZE_PX,
        low_percentile=1.0,
        high_percentile=99.0,
        labels=(NaiveLabel(name="brightness", scale=2.0, shift=-1.0),),
    )


@pytest.fixture(scope="session")
def denoiser(tmp_path_factory: pytest.TempPathFactory) -> NaiveModel:
    """A 3 x 3 mean."""
    path = tmp_path_factory.mktemp("model") / "smooth.onnx"
    kernel = np.full((1, 1, 3, 3), 1 / 9, dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["slice", "kernel"], ["denoised"], pads=[1, 1, 1, 1])],
        "smooth",
        [helper.make_tensor_value_info("slice", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        [helper.make_tensor_value_info("denoised", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        [helper.make_tensor("kernel", TensorProto.FLOAT, kernel.shape, kernel.ravel().tolist())],
    )
    onnx.save(_model(graph), path)
    return NaiveModel(
        task="ct_denoise",
        onnx=str(path),
        input_name="slice",
        size_px=None,
        low_percentile=None,
        high_percentile=None,
        labels=(),
    )


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


ONE = spread_of([1.0, 2.0, 3.0])
ENGINE = EngineUse(task="t", model="t@1", engine="ort f32 CPU", fallback_reason=None)


def _memory(role: str, *, highest: int, first: int, last: int) -> MemoryUse:
    return MemoryUse(
        role=role,
        highest_bytes=highest * MIB,
        first_quarter_bytes=first * MIB,
        last_quarter_bytes=last * MIB,
    )


def _radiographs(names: Sequence[str]) -> RadiographReport:
    latencies = tuple(
        RadiographLatency(
            name=name,
            ratio=5.0,
            ratios=(4.9, 5.0, 5.1),
            ratio_session_kept=4.5,
            ratio_without_measuring=3.0,
            ratio_triage=6.0,
            quality=ONE,
            triage=ONE,
            all_answers=ONE,
            painted=ONE,
            slow_copy_quality=None,
            stages={"quality.decoded": ONE, "quality.painted": ONE},
            naive_quality=ONE,
            naive_done=ONE,
            naive_stages={"decode": ONE},
            probability_difference=0.01,
        )
        for name in names
    )
    memory = (_memory("worker", highest=300, first=250, last=260),)
    return RadiographReport(latencies=latencies, memory=memory, engines=(ENGINE,))


def _series() -> SeriesReport:
    return SeriesReport(
        slices=200,
        ratio_first_slice=3.5,
        ratios_first_slice=(3.4, 3.5, 3.6),
        ratio_all=2.0,
        ratio_first_slice_without_measuring=2.5,
        ratio_all_without_measuring=1.8,
        quality=ONE,
        painted=None,
        first_slice=ONE,
        denoised=ONE,
        stages={},
        naive_quality=ONE,
        naive_first_slice=ONE,
        naive_done=ONE,
        naive_stages={},
        memory=(_memory("worker", highest=400, first=280, last=290),),
        engines=(ENGINE,),
    )


def _backlog() -> BacklogReport:
    return BacklogReport(
        files=10,
        answered=9,
        failed=0,
        lost=1,
        seconds=5.0,
        files_per_second=2.0,
        urgent=1,
        urgent_rank=0.0,
        urgent_after_seen_s=0.5,
        memory=(_memory("watcher", highest=90, first=80, last=80),),
    )


def _idle() -> IdleReport:
    return IdleReport(
        seconds_to_ready=4.0,
        seconds=20.0,
        cpu_percent={"watcher": 1.0, "kiosk": 0.5},
        watcher_and_kiosk_cpu_percent=1.5,
        memory=(_memory("kiosk", highest=150, first=150, last=150),),
        watcher_and_kiosk_bytes=240 * MIB,
    )


def _peak_hour() -> PeakHourReport:
    kind = KindOfArrival(
        kind="projection",
        arrived=4,
        answered=3,
        late=1,
        deadline_s=3.0,
        quality_ms=ONE,
        all_answers_ms=None,
    )
    hour = Hour(
        factor=1.5,
        seconds=60.0,
        kinds=(kind,),
        queue=(
            QueueLook(at_s=1.0, jobs={"quality": 1}),
            QueueLook(at_s=2.0, jobs={"quality": 1, "denoise": 2}),
        ),
        most_waiting=3,
        waiting_at_end={"denoise": 2},
        drained_s=None,
        failed_lanes=0,
        cpu_percent=120.0,
        joules_package=None,
        temperature_c=None,
    )
    return PeakHourReport(radiographs_per_hour=120, series_per_hour=30, slices=48, hours=(hour,))


def _pieces() -> PiecesReport:
    quick, slow = (Spent(wall_s=0.002, cpu_s=0.001),), (Spent(wall_s=0.004, cpu_s=0.005),)
    return PiecesReport(
        pieces=(piece_of("decode_dx_raw", "ours over theirs", list(quick), list(slow), goal=1.1),)
    )


def _watching() -> WatchReport:
    return WatchReport(
        folders=20,
        files=10,
        by_events=True,
        ready_s=0.5,
        isolated_ms=ONE,
        burst_ms=ONE,
        events_missed=1,
        missed=0,
        overflow_files=8192,
        overflow_told=5461,
        overflow_missed=0,
        listing_s=0.1,
    )


def made_run(*, whole: bool) -> Measured:
    """A run whose numbers are known; not whole: nothing was asked for."""
    return Measured(
        machine=describe_machine(),
        began_at_utc="2026-12-01T09:30:15+00:00",
        software="0.1.0",
        load_after_1min=0.5,
        quick=not whole,
        radiographs=_radiographs(RADIOGRAPHS) if whole else None,
        series=_series() if whole else None,
        backlog=_backlog() if whole else None,
        idle=_idle() if whole else None,
        engines=None,
        peak_hour=_peak_hour() if whole else None,
        pieces=_pieces() if whole else None,
        watching=_watching() if whole else None,
        starting=StartReport(first_s=9.0, first_all_s=10.0, again_s=ONE, again_all_s=ONE) if whole else None,
    )


@pytest.fixture
def whole_run() -> Measured:
    """A full run of everything."""
    return made_run(whole=True)


@pytest.fixture
def empty_run() -> Measured:
    """A quick run of nothing."""
    return made_run(whole=False)
