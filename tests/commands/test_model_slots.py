# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Install, activate, roll back, shadow: as a person does it, without a running appliance."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import ExitCode
from appliance.models.slots import SlotFolder
from appliance.selftest.phantom_radiograph import Identity, write_chest
from tests.tiny_bundles import build, trusted
from tests.tiny_triage import build_triage

Say = Callable[..., Result]
TASK = "chest_triage"


@pytest.fixture
def say() -> Say:
    """Run a command in this process: there are many here, and each is short."""

    def run(*arguments: str | Path) -> Result:
        environment = {"SCANSIDE__WORKER__ENGINES": '["ort"]'}
        return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)

    return run


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    build_triage(folder / "two", release=2)
    build_triage(folder / "three", release=3, opposite=True)
    build_triage(folder / "wrong", release=4, golden_off=1.0)
    shutil.make_archive(str(folder / "three"), "zip", folder / "three")
    return folder


def json_lines(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def places(say: Say, data: Path) -> dict[str, str]:
    lines: list[dict[str, Any]] = json_lines(say("models", "list", "--json", "--data", data))
    return {f"{card['task']}@{card['version']}": card["place"] for card in lines if card["task"] == TASK}


def test_a_release_is_installed_activated_and_left_again(say: Say, bundles: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert say("models", "install", bundles / "two", "--data", data).exit_code == ExitCode.OK
    again = say("models", "install", bundles / "two", "--data", data)
    assert "installed already" in again.stdout
    (shipped,) = [name for name, place in places(say, data).items() if place == "serves"]
    assert places(say, data)[f"{TASK}@2.0"] == "installed"
    done = say("models", "activate", TASK, "--data", data, "--json")
    assert done.exit_code == ExitCode.OK, done.stderr
    (line,) = json_lines(done)
    assert (line["active"], line["engine"]) == (f"{TASK}@2.0", "ort f32 CPU")
    assert places(say, data) == {f"{TASK}@2.0": "serves"}
    assert say("models", "install", bundles / "three.zip", "--data", data).exit_code == ExitCode.OK
    assert say("models", "activate", f"{TASK}@3.0", "--data", data).exit_code == ExitCode.OK
    assert places(say, data) == {f"{TASK}@3.0": "serves", f"{TASK}@2.0": "previous"}
    back = say("models", "rollback", TASK, "--data", data)
    assert back.exit_code == ExitCode.OK
    assert f"{TASK}@2.0 is active again" in back.stdout
    assert places(say, data) == {f"{TASK}@2.0": "serves", f"{TASK}@3.0": "installed"}
    second = say("models", "rollback", TASK, "--data", data)
    assert second.exit_code == ExitCode.FOUND_FAULTS
    assert "no earlier model" in second.stderr
    to_shipped = say("models", "activate", f"{TASK}@shipped", "--data", data)
    assert to_shipped.exit_code == ExitCode.OK, to_shipped.stderr
    assert places(say, data)[shipped] == "serves"


def test_without_a_passing_passport_nothing_is_activated(say: Say, bundles: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert say("models", "install", bundles / "wrong", "--data", data).exit_code == ExitCode.OK
    done = say("models", "activate", TASK, "--data", data)
    assert done.exit_code == ExitCode.FOUND_FAULTS
    assert "No engine can serve chest_triage@4.0" in done.stderr
    assert SlotFolder(data / "models", trust=trusted()).read(TASK).active is None
    shadow = say("models", "shadow", TASK, "--data", data)
    assert shadow.exit_code == ExitCode.FOUND_FAULTS
    assert SlotFolder(data / "models", trust=trusted()).read(TASK).shadow is None


def test_a_bundle_that_is_refused_is_not_installed(say: Say, bundles: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(bundles / "two", broken)
    (broken / "gate.json").write_text("{ }", encoding="utf-8")
    done = say("models", "install", broken, "--data", tmp_path / "data")
    assert done.exit_code == ExitCode.FOUND_FAULTS
    assert "not the file that SHA256SUMS lists" in done.stderr
    assert SlotFolder(tmp_path / "data" / "models", trust=trusted()).tasks() == ()


def test_what_is_not_installed_cannot_be_chosen(say: Say, bundles: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    say("models", "install", bundles / "two", "--data", data)
    for target in (f"{TASK}@9.0", "horoscope", "horoscope@shipped"):
        done = say("models", "activate", target, "--data", data)
        assert done.exit_code == ExitCode.FOUND_FAULTS
        assert done.stderr.startswith("scanside: ")
    assert SlotFolder(data / "models", trust=trusted()).read(TASK).active is None


def test_a_shadow_is_set_and_ended_and_its_limits_are_said(say: Say, bundles: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name in ("two", "three"):
        say("models", "install", bundles / name, "--data", data)
    done = say("models", "shadow", f"{TASK}@3.0", "--data", data)
    assert done.exit_code == ExitCode.OK, done.stderr
    assert places(say, data)[f"{TASK}@3.0"] == "shadow"
    assert places(say, data)[f"{TASK}@2.0"] == "installed"
    silent = say("models", "shadow", TASK, "--report", "--data", data)
    assert silent.exit_code != ExitCode.OK
    assert say("models", "shadow", TASK, "--off", "--data", data).exit_code == ExitCode.OK
    assert places(say, data)[f"{TASK}@3.0"] == "installed"
    assert say("models", "activate", f"{TASK}@3.0", "--data", data).exit_code == ExitCode.OK
    own = say("models", "shadow", f"{TASK}@3.0", "--data", data)
    assert "cannot be its own shadow" in own.stderr
    denoiser = build(tmp_path / "denoiser")
    say("models", "install", denoiser, "--data", data)
    nothing = say("models", "shadow", "ct_denoise", "--data", data)
    assert nothing.exit_code == ExitCode.FOUND_FAULTS
    assert "nothing to compare" in nothing.stderr


def test_process_answers_with_the_model_that_the_device_has_activated(
    say: Say, bundles: Path, tmp_path: Path
) -> None:
    data, film = tmp_path / "data", tmp_path / "film.dcm"
    write_chest(film, identity=Identity(), rows=360, columns=300)
    assert say("models", "install", bundles / "two", "--data", data).exit_code == ExitCode.OK
    assert say("models", "activate", TASK, "--data", data).exit_code == ExitCode.OK
    to = ("--out", tmp_path / "out", "--json")
    (alone,) = json_lines(say("process", film, *to))
    (beside,) = json_lines(say("process", film, "--data", data, *to))
    assert f"{TASK}@2.0" in beside["models"]
    assert f"{TASK}@2.0" not in alone["models"]


def test_process_names_a_data_folder_that_is_none(say: Say, tmp_path: Path) -> None:
    done = say("process", tmp_path, "--data", tmp_path)
    assert done.exit_code == ExitCode.CONFIG
    assert "is not the data folder" in done.output
