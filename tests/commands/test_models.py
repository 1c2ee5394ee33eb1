# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models`: what is installed, and whether it is what it claims to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.record import to_plain
from appliance.errors import ExitCode
from appliance.models.bundle import read_bundle
from appliance.models.keys import read_trust, shipped_keys
from appliance.models.registry import shipped_models
from tests.command_line import json_lines
from tests.tiny_bundles import build

Say = Callable[..., CompletedProcess[str]]
SHIPPED = ["chest_triage", "ct_denoise", "fracture_triage", "radiograph_view"]


@pytest.fixture
def tampered(tmp_path: Path) -> str:
    """A setting that names a folder with a good bundle and one whose network was changed afterwards."""
    build(tmp_path / "models" / "good", task="good_task", name="good")
    bundle = build(tmp_path / "models" / "tampered", task="bad_task", name="bad")
    model = bundle / "model.onnx"
    model.write_bytes(model.read_bytes().replace(b"factor", b"fbctor"))
    return f'["{tmp_path / "models"}"]'


def test_the_list_has_the_card_of_each_model_without_proving_any(say: Say) -> None:
    done = say("models", "list", "--json")
    assert done.returncode == ExitCode.OK
    cards = json_lines(done)
    assert [card["task"] for card in cards] == SHIPPED
    assert all(card["provenance"]["licence"] and card["metrics"] for card in cards)
    assert {card["signer"]["name"] for card in cards} == {"scanside-reference"}
    table = say("models", "list")
    assert "scanside-reference" in table.stdout
    assert table.returncode == ExitCode.OK
    assert all(f"{card['task']}@{card['version']}" in table.stdout for card in cards)


def test_the_shipped_models_prove_themselves(say: Say) -> None:
    done = say("models", "verify", "--json")
    assert done.returncode == ExitCode.OK
    proofs = json_lines(done)
    found = {(line["model"].split("@")[0], line["precision"]) for line in proofs}
    assert found == {
        (task, precision)
        for task in SHIPPED
        for precision in read_bundle(shipped_models() / task).model_sha256
        if precision != "fp16"  # no engine of the processor is asked for it
    }
    assert {(line["engine"], line["verdict"]) for line in proofs} == {("ort", "OK")}
    (key,) = read_trust((shipped_keys(),)).keys.values()
    assert [line["signer"] for line in proofs] == [to_plain(key.signer)] * len(proofs)


def test_a_tampered_bundle_is_refused_and_ends_with_1(say: Say, tampered: str) -> None:
    done = say("models", "verify", "--json", SCANSIDE__MODELS=tampered)
    assert done.returncode == ExitCode.FOUND_FAULTS
    refused, *proofs = json_lines(done)
    assert refused["verdict"] == "REFUSED"
    assert "model.onnx" in refused["reason"]
    assert refused["remedy"]
    assert {line["verdict"] for line in proofs} == {"OK"}
    assert not any("bad_task" in line["model"] for line in proofs)


def test_a_model_that_no_engine_can_serve_ends_with_1(say: Say, tmp_path: Path) -> None:
    build(tmp_path / "models" / "wrong", task="wrong_task", golden_factor=0.6)
    done = say("models", "verify", SCANSIDE__MODELS=f'["{tmp_path / "models"}"]')
    assert done.returncode == ExitCode.FOUND_FAULTS
    assert "FAILED" in done.stdout


def test_models_alone_shows_its_help() -> None:
    assert "verify" in CliRunner().invoke(app, ["models"]).output


def test_models_are_published_for_a_shared_server(say: Say, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    asked = ("models", "publish", "--to", repository, "--backend", "python", "--json")
    done = say(*asked, "--task", "ct_denoise", "--task", "chest_triage")
    assert done.returncode == ExitCode.OK, done.stderr
    lines = json_lines(done)
    assert {(line["model"].partition("@")[0], line["precision"]) for line in lines} == {
        (task, precision)
        for task in ("ct_denoise", "chest_triage")
        for precision in read_bundle(shipped_models() / task).model_sha256
    }
    assert all(Path(line["folder"]).parent == repository for line in lines)
    assert all((Path(line["folder"]) / "config.pbtxt").is_file() for line in lines)
    assert len(list(repository.iterdir())) == len(lines)


def test_what_cannot_be_published_is_said(say: Say, tmp_path: Path) -> None:
    for wrong, words in (
        (("--task", "knee"), "No model for knee"),
        (("--precision", "fp8"), "has no fp8 graph"),
    ):
        done = say("models", "publish", "--to", tmp_path / "repository", *wrong)
        assert done.returncode == ExitCode.CONFIG
        assert words in done.stderr
