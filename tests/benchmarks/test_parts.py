# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A run that was interrupted goes on; the parts of another run are not taken for its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from appliance.clock import SystemClock
from appliance.errors import ConfigError
from benchmarks import run
from benchmarks.appliance_run import MeasuringError
from benchmarks.machine import describe_machine
from benchmarks.parts import Begun, Parts
from benchmarks.plan import Workshop
from benchmarks.report import Measured
from benchmarks.soak_part import SoakReport

BEGUN = Begun(
    quick=False, software="0.1.0", machine=describe_machine(), began_at_utc="2026-12-01T09:30:15+00:00"
)


def test_a_finished_part_is_there_again_and_the_run_keeps_its_beginning(
    whole_run: Measured, tmp_path: Path
) -> None:
    assert whole_run.radiographs is not None
    parts = Parts.open(tmp_path, BEGUN)
    assert parts.kept("dx_raw", type(whole_run.radiographs)) is None
    parts.keep("dx_raw", whole_run.radiographs)
    assert parts.folder_of("soak").is_dir()
    again = Parts.open(tmp_path, replace(BEGUN, began_at_utc="2026-12-02T00:00:00+00:00"))
    assert again.begun == BEGUN
    assert again.names() == ("dx_raw",)
    assert again.kept("dx_raw", type(whole_run.radiographs)) == whole_run.radiographs


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(BEGUN, quick=True), "quick run"),
        (replace(BEGUN, software="0.2.0"), "version 0.1.0"),
        (replace(BEGUN, machine=replace(BEGUN.machine, cores=64)), "another machine"),
    ],
)
def test_the_parts_of_another_run_are_refused(other: Begun, words: str, tmp_path: Path) -> None:
    Parts.open(tmp_path, BEGUN)
    with pytest.raises(ConfigError, match=words):
        Parts.open(tmp_path, other)


def test_a_part_that_this_version_cannot_read_is_said(tmp_path: Path) -> None:
    parts = Parts.open(tmp_path, BEGUN)
    (tmp_path / "idle.json").write_text('{"old": 1}', encoding="utf-8")
    with pytest.raises(ConfigError, match="idle"):
        parts.kept("idle", Begun)


def test_an_interrupted_part_finds_what_it_kept_and_a_clean_folder(
    whole_run: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[list[str], list[str]]] = []

    def measure(workshop: Workshop) -> SoakReport:
        found.append(
            (
                [path.name for path in workshop.kept.iterdir()],
                [path.name for path in workshop.folder.iterdir()],
            )
        )
        for folder in (workshop.kept, workshop.folder):
            (folder / "begun").touch()
        if len(found) == 1:
            raise MeasuringError("The plug was pulled.")
        assert whole_run.soak is not None
        return whole_run.soak

    monkeypatch.setattr(run, "PARTS", {run.SOAK: run.Part(noun=SoakReport, measure=measure)})

    def measured() -> Measured:
        return run.measure_run(
            (run.SOAK,), quick=True, into=tmp_path, clock=SystemClock(), console=Console(quiet=True)
        )

    with pytest.raises(MeasuringError):
        measured()
    assert measured().soak == whole_run.soak
    assert found == [([], []), (["begun"], [])]
    measured()
    assert len(found) == 2, "a finished part is not measured again"
