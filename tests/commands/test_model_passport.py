# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models passport`: every candidate, tested and told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from appliance.errors import ExitCode
from tests.command_line import json_lines
from tests.tiny_classifiers import build_classifier

Say = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A setting that names a folder with one good bundle and one whose variant decides otherwise."""
    folder = tmp_path_factory.mktemp("site")
    build_classifier(folder / "good")
    build_classifier(folder / "flipping", task="flipping", threshold_between=True)
    return f'["{folder}"]'


def test_every_precision_is_tested_and_only_what_was_asked_for(say: Say, site: str, tmp_path: Path) -> None:
    (tmp_path / "data" / "engines").mkdir(parents=True)
    done = say(
        *("models", "passport", "--json", "--task", "brightness", "--data", tmp_path / "data"),
        SCANSIDE__MODELS=site,
    )
    assert done.returncode == ExitCode.OK, done.stderr
    lines = json_lines(done)
    assert [(line["engine"], line["precision"], line["verdict"]) for line in lines] == [
        ("ort", "fp32", "PASSED"),
        ("ort", "int8", "PASSED"),
    ]
    assert {line["words"] for line in lines} == {"ort int8 CPU", "ort f32 CPU"}
    assert len(list((tmp_path / "data" / "engines").glob("passport-*.json"))) == 2, "kept for the appliance"


def test_a_failed_test_ends_with_1_and_says_why(say: Say, site: str, tmp_path: Path) -> None:
    done = say("models", "passport", "--task", "flipping", "--data", tmp_path, SCANSIDE__MODELS=site)
    assert done.returncode == ExitCode.FOUND_FAULTS
    assert "FAILED" in done.stdout
    assert "1 of 40" in done.stdout
    assert "not told by this device" in done.stdout or "joules" in done.stdout


def test_an_engine_that_fails_is_named_with_its_reason(say: Say, site: str, tmp_path: Path) -> None:
    done = say(
        *("models", "passport", "--json", "--task", "brightness", "--precision", "int8", "--engine", "null"),
        *("--data", tmp_path),
        SCANSIDE__MODELS=site,
    )
    assert done.returncode == ExitCode.FOUND_FAULTS
    (line,) = json_lines(done)
    assert (line["engine"], line["precision"], line["verdict"]) == ("null", "int8", "FAILED")
    assert "'logits' is off by" in line["reason"]


def test_a_task_without_a_model_and_an_engine_without_a_file_are_told(say: Say, tmp_path: Path) -> None:
    nothing = say("models", "passport", "--task", "horoscope", "--data", tmp_path)
    assert nothing.returncode == ExitCode.CONFIG
    assert "scanside models list" in nothing.stderr
    unknown = say("models", "passport", "--engine", "tensorflow", "--data", tmp_path)
    assert unknown.returncode == ExitCode.CONFIG
    assert "no engine of that name" in unknown.stderr
