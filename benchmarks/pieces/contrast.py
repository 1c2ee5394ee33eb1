# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A change of contrast beside a copy of the frame, and its slowest steps while all cores compute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

from appliance.models.bundle import read_bundle
from appliance.models.registry import shipped_models
from benchmarks.engine_matrix.asking import Child
from benchmarks.engine_matrix.child import Request
from benchmarks.engine_matrix.matrix import input_shapes
from benchmarks.engine_matrix.spent import Spent
from benchmarks.machine import describe_machine
from benchmarks.painting import can_paint
from benchmarks.pieces.turns import MS_PER_S, Piece, piece_of
from benchmarks.plan import Workshop

COPIES: Final = 3.0
TIMES_IDLE: Final = 2.0
BUSY_TASK: Final = "ct_denoise"
TIMEOUT_S: Final = 300.0
SLOWEST: Final = 99.0
Numbers = dict[str, list[float]]


def measure_contrast(workshop: Workshop) -> Iterator[Piece]:
    """In a process of the kiosk's (`ui.measure`): Qt lives there alone. Nothing where it is not installed."""
    if not can_paint():
        return
    idle = _frames(workshop)
    with _all_cores_busy(workshop):
        busy = _frames(workshop)
    yield piece_of(
        "contrast_to_copy",
        "a new contrast of a 7.5 megapixel frame on 1200 x 1000 pixels over a copy of its memory",
        _spent(idle, "frame"),
        _spent(idle, "copy"),
        goal=COPIES,
    )
    slow = [[Spent(wall_s=_slowest_s(numbers), cpu_s=_slowest_s(numbers))] for numbers in (busy, idle)]
    yield piece_of(
        "contrast_while_computing",
        f"the 99th percentile of the same while {BUSY_TASK} runs on every core, over the one without",
        *slow,
        goal=TIMES_IDLE,
        by_clock=True,
    )


def _frames(workshop: Workshop) -> Numbers:
    done = subprocess.run(
        [sys.executable, "-m", "ui.measure", "frame", "--data", str(workshop.folder)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    numbers: Numbers = json.loads(done.stdout)
    return numbers


def _spent(numbers: Numbers, name: str) -> list[Spent]:
    pairs = zip(numbers[f"{name}_ms"], numbers[f"{name}_cpu_ms"], strict=True)
    return [Spent(wall_s=wall / MS_PER_S, cpu_s=max(cpu, 1e-3) / MS_PER_S) for wall, cpu in pairs]


def _slowest_s(numbers: Numbers) -> float:
    return float(np.percentile(numbers["frame_ms"], SLOWEST)) / MS_PER_S


@contextmanager
def _all_cores_busy(workshop: Workshop) -> Iterator[None]:
    """A network on each core, with the priority that the worker has, until the block ends."""
    bundle = read_bundle(shipped_models() / BUSY_TASK)
    request = Request(
        bundle=str(bundle.folder),
        sums_sha256=bundle.sums_sha256,
        engine="ort",
        precision="fp32",
        threads=describe_machine().cores,
        streams=1,
        shapes=input_shapes(bundle),
        cache=str(workshop.folder / "plans"),
    )
    with Child(request) as child:
        child.begin(TIMEOUT_S)
        yield
