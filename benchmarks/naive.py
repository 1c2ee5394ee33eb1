# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.naive INBOX RESULTS MODELS`: the pipeline that one would write first, as a process.

A watchdog handler, one file after the other, and a JSON file per study. It is given what a first version
would lack: it starts a series at once when the header's count is reached instead of waiting for silence,
and it writes the quality answer before it begins with triage.
"""

from __future__ import annotations

import json
from pathlib import Path
from queue import Queue
from typing import Any, Final

import typer
from pydicom import dcmread
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from appliance.clock import Clock, SystemClock
from appliance.pipeline.spans import Spans
from benchmarks.naive_models import NaiveModel, read_models
from benchmarks.naive_radiograph import VIEW, measure_quality, read_radiograph, triage
from benchmarks.naive_series import denoise_series, measure_series, read_series

READY: Final = "ready"
"""Name of the file in the results folder that says: the watch is on."""
CHEST_TRIAGE: Final = "chest_triage"
CT_DENOISE: Final = "ct_denoise"


class _Arrivals(FileSystemEventHandler):
    """Puts every finished .dcm file into the queue."""

    def __init__(self, queue: Queue[Path]) -> None:
        self._queue = queue

    def on_closed(self, event: FileSystemEvent) -> None:
        """A file was written and closed."""
        self._take(event.src_path)

    def on_moved(self, event: FileSystemEvent) -> None:
        """A file was renamed into its place."""
        self._take(event.dest_path)

    def _take(self, name: bytes | str) -> None:
        path = Path(str(name))
        if path.suffix == ".dcm":
            self._queue.put(path)


class Naive:
    """The pipeline. Sessions, images and everything else are made anew for every study."""

    def __init__(self, results: Path, models: dict[str, NaiveModel], clock: Clock) -> None:
        self._results = results
        self._models = models
        self._clock = clock
        self._series: dict[str, list[Path]] = {}

    def take(self, path: Path) -> None:
        """A file came: a radiograph is looked at now, a slice when its series is whole."""
        header = dcmread(path, stop_before_pixels=True)
        if header.Modality != "CT":
            self.look_at_radiograph(path)
            return
        slices = self._series.setdefault(header.SeriesInstanceUID, [])
        slices.append(path)
        if len(slices) == header.ImagesInAcquisition:
            self.look_at_series(self._series.pop(header.SeriesInstanceUID))

    def look_at_radiograph(self, path: Path) -> None:
        """Quality, then triage."""
        spans = Spans(self._clock)
        dataset, shown = read_radiograph(path, spans)
        answer: dict[str, Any] = {"quality": measure_quality(dataset, shown, self._models.get(VIEW), spans)}
        study = str(dataset.StudyInstanceUID)
        self._write(f"{study}.quality", answer)
        answer["quality_ns"] = self._clock.monotonic_ns()
        model = self._models.get(CHEST_TRIAGE)
        if model is not None:
            answer["triage"] = triage(shown, model, spans)
        self._finish(study, answer, spans)

    def look_at_series(self, paths: list[Path]) -> None:
        """Quality, then the denoised series."""
        spans = Spans(self._clock)
        datasets, volume = read_series(paths, spans)
        study = str(datasets[0].StudyInstanceUID)
        answer: dict[str, Any] = {"quality": measure_series(datasets, volume, spans)}
        self._write(f"{study}.quality", answer)
        answer["quality_ns"] = self._clock.monotonic_ns()
        model = self._models.get(CT_DENOISE)
        if model is not None:
            out = self._results / study
            answer["first_slice_ns"] = denoise_series(datasets, volume, model, out, self._clock, spans)
        self._finish(study, answer, spans)

    def _finish(self, study: str, answer: dict[str, Any], spans: Spans) -> None:
        answer["stages_ms"] = {timing.stage: timing.duration_ms for timing in spans.timings()}
        answer["done_ns"] = self._clock.monotonic_ns()
        self._write(study, answer)

    def _write(self, name: str, answer: dict[str, Any]) -> None:
        part = self._results / f"{name}.part"
        part.write_text(json.dumps(answer), encoding="utf-8")
        part.replace(self._results / f"{name}.json")


def main(inbox: Path, results: Path, models: Path) -> None:
    """Watch `inbox` until killed."""
    queue: Queue[Path] = Queue()
    observer = Observer()
    observer.schedule(_Arrivals(queue), str(inbox), recursive=True)
    observer.start()
    pipeline = Naive(results, read_models(models), SystemClock())
    (results / READY).touch()
    while True:
        pipeline.take(queue.get())


if __name__ == "__main__":
    typer.run(main)
