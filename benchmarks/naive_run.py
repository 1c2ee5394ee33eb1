# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The naive pipeline as a running process, given the appliance's own models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_MS, NS_PER_S, Clock
from appliance.models.bundle import read_bundle
from appliance.models.registry import shipped_models
from appliance.tasks.catalogue import every_task
from benchmarks.appliance_run import LOOK_S, MeasuringError
from benchmarks.naive import CHEST_TRIAGE, CT_DENOISE, READY
from benchmarks.naive_models import NaiveLabel, NaiveModel, write_models
from benchmarks.naive_radiograph import VIEW

START_TIMEOUT_S: Final = 60.0
TASKS: Final = (VIEW, CHEST_TRIAGE, CT_DENOISE)
"""Those that look at the files that are measured with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveAnswer:
    """When the naive pipeline had what, in milliseconds from the close of the last file."""

    quality_ms: float
    done_ms: float
    first_slice_ms: float | None
    """None for a radiograph."""
    stages_ms: dict[str, float]
    probabilities: dict[str, float]


def shipped_for_naive() -> tuple[NaiveModel, ...]:
    """The shipped models that the appliance's tasks ask for here: both sides do the same work, or neither."""
    asked = {task.model for task in every_task()}
    folders = [shipped_models() / task for task in TASKS if task in asked]
    return tuple(naive_model(folder) for folder in folders if folder.is_dir())


def naive_model(folder: Path) -> NaiveModel:
    """A bundle as the naive pipeline sees it. Raises ModelBundleError for one that is damaged."""
    bundle = read_bundle(folder)
    card = bundle.card
    return NaiveModel(
        task=card.task,
        onnx=str(bundle.model),
        input_name=card.inputs[0].name,
        size_px=card.preprocessing.size_px,
        low_percentile=card.preprocessing.low_percentile,
        high_percentile=card.preprocessing.high_percentile,
        labels=tuple(
            NaiveLabel(name=label.code.value, scale=label.scale, shift=label.shift) for label in card.labels
        ),
    )


class NaivePipeline:
    """The process, its inbox and its results."""

    def __init__(self, process: subprocess.Popen[bytes], *, folder: Path, clock: Clock) -> None:
        self._process = process
        self._results = folder / "results"
        self._clock = clock
        self.inbox = folder / "inbox"

    @property
    def pid(self) -> int:
        """Of the one process."""
        return self._process.pid

    def wait_for_file(self, name: str, *, timeout_s: float) -> Path:
        """Until a file of this name is in the results. Raises MeasuringError."""
        path = self._results / name
        until_ns = self._clock.monotonic_ns() + round(timeout_s * NS_PER_S)
        while not path.exists():
            if self._process.poll() is not None or self._clock.monotonic_ns() > until_ns:
                log = (self._results.parent / "naive.log").read_text(encoding="utf-8", errors="replace")
                raise MeasuringError(f"The naive pipeline gave no {name}.\n{log[-2000:]}")
            self._clock.sleep(LOOK_S)
        return path

    def wait_for_study(self, study_instance_uid: str, *, closed_ns: int, timeout_s: float) -> NaiveAnswer:
        """Until its last answer for the study is written. Raises MeasuringError."""
        path = self.wait_for_file(f"{study_instance_uid}.json", timeout_s=timeout_s)
        answer = json.loads(path.read_text(encoding="utf-8"))

        def since_closed_ms(at_ns: int) -> float:
            return (at_ns - closed_ns) / NS_PER_MS

        return NaiveAnswer(
            quality_ms=since_closed_ms(answer["quality_ns"]),
            done_ms=since_closed_ms(answer["done_ns"]),
            first_slice_ms=(
                since_closed_ms(answer["first_slice_ns"]) if "first_slice_ns" in answer else None
            ),
            stages_ms=answer["stages_ms"],
            probabilities=answer.get("triage", {}),
        )


@contextmanager
def running_naive(
    folder: Path, clock: Clock, models: tuple[NaiveModel, ...] | None = None
) -> Iterator[NaivePipeline]:
    """Start it on `folder` (models: the shipped ones) and wait until it watches; kill it at the end."""
    for name in ("inbox", "results"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_models(folder / "models.json", models if models is not None else shipped_for_naive())
    command = [
        sys.executable,
        "-m",
        "benchmarks.naive",
        str(folder / "inbox"),
        str(folder / "results"),
        str(folder / "models.json"),
    ]
    with (folder / "naive.log").open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        pipeline = NaivePipeline(process, folder=folder, clock=clock)
        try:
            pipeline.wait_for_file(READY, timeout_s=START_TIMEOUT_S)
            yield pipeline
        finally:
            process.kill()
            process.wait()
