# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Hostile input, the short run: `python -m benchmarks.faults hostile` is the long one.

Every target meets damaged inputs here, and the real watcher every bomb that goes off quickly, every name that
leads elsewhere and every thing in its inbox that is no file.
"""

from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom.config
import pytest
import structlog

from benchmarks.faults.figure import Counts, Run
from benchmarks.faults.fuzz_mutation import damaged
from benchmarks.faults.fuzz_targets import TARGETS
from benchmarks.faults.fuzzing import found_in, fuzz
from benchmarks.faults.hostile import watching
from benchmarks.faults.plain_words import faults_of

EXECUTIONS = 60
"""Of each target."""
GUIDED = 200
LONGEST_BYTES = 32 * 1024


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in the jail: what a library says about damage goes nowhere."""
    monkeypatch.setattr(pydicom.config.settings, "_reading_validation_mode", pydicom.config.IGNORE)
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)
    structlog.configure(**before)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.usefixtures("quiet")
def test_what_is_damaged_ends_in_words(name: str, tmp_path: Path) -> None:
    seeds = list(TARGETS[name].seeds(tmp_path))
    for number in range(EXECUTIONS):
        data = damaged(random.Random(number).choice(seeds), number, LONGEST_BYTES)
        for what, remedy in TARGETS[name].run(data):
            assert not faults_of(what, remedy), (what, remedy)


def test_the_fuzzer_counts_and_finds(tmp_path: Path) -> None:
    """The child of the long run, from libFuzzer's choice of inputs to the count that outlives it."""
    ended = fuzz(tmp_path, "worklist", runs=GUIDED, seed=1, guided=False)
    assert (ended.exit_code, ended.executions) == (0, GUIDED)
    assert ended.peak_rss_bytes > 0
    assert not found_in(tmp_path)


def test_the_watcher_outlives_bombs_and_names(tmp_path: Path) -> None:
    counts: Counts = {}
    run = Run(folder=tmp_path, report=tmp_path / "r.json", amount=1.0, progress=lambda *_: None)
    assert watching(tmp_path / "watched", counts, run, inflated_bytes=None) == []
    assert counts["watched"]["contents"] > 100
    assert counts["watched"]["no_files"] == 5


@pytest.mark.parametrize(
    ("what", "remedy"),
    [
        ("The file is damaged: KeyError.", "Send the image again."),
        ("'NoneType' object has no attribute 'get' in here.", "Send the image again."),
        ("unpack requires a buffer of 4 bytes.", "Send the image again."),
        ("The file is damaged.", None),
        ("No.", "Send the image again."),
        ("The file \u202e is damaged.", "Send the image again."),
        ("x " * 400, "Send the image again."),
    ],
)
def test_words_that_nobody_understands_are_seen(what: str, remedy: str | None) -> None:
    assert faults_of(what, remedy)
