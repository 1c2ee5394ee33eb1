# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models keys|trust|revoke`, from a stranger's bundle to a served one and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from appliance.cli import app
from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.domain.audit import AuditKind
from appliance.errors import ExitCode, ModelBundleError
from appliance.layout import Layout
from appliance.models.keys import Signer, fingerprint_of, grouped
from appliance.processes.models import open_registry
from appliance.store.audit import Trail
from appliance.store.connection import Database
from tests.tiny_bundles import Speaks, build, write_public_key, write_sums


@pytest.fixture
def stranger() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def public(stranger: Ed25519PrivateKey, tmp_path: Path) -> Path:
    return write_public_key(stranger, tmp_path / "post" / "clinic-west.public.pem")


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The setting `model_keys`, on a folder that does not exist yet."""
    monkeypatch.setenv("SCANSIDE__MODEL_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


def run(*arguments: str | Path, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["models", *(str(argument) for argument in arguments)], input=answer)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_shipped_key_is_there_from_the_start(keys: Path) -> None:
    listed = run("keys", "--json")
    assert listed.exit_code == ExitCode.OK
    assert [(key["name"], key["verdict"]) for key in lines(listed)] == [("scanside-reference", "TRUSTED")]
    assert not keys.exists()


def test_a_person_compares_and_says_yes_or_no(public: Path, stranger: Ed25519PrivateKey, keys: Path) -> None:
    digits = fingerprint_of(stranger.public_key())
    refused = run("trust", public, answer="n\n")
    assert refused.exit_code == ExitCode.CONFIG
    assert grouped(digits) in refused.stderr
    assert not keys.exists()
    nobody = run("trust", public, answer="")
    assert nobody.exit_code != ExitCode.OK
    assert not keys.exists(), "nobody there to ask is a no"
    taken = run("trust", public, answer="y\n")
    assert taken.exit_code == ExitCode.OK
    assert "clinic-west" in run("keys").stdout


def test_a_script_brings_the_fingerprint(public: Path, stranger: Ed25519PrivateKey, keys: Path) -> None:
    digits = fingerprint_of(stranger.public_key())
    wrong = run("trust", public, "--fingerprint", digits[:-1] + ("0" if digits[-1] != "0" else "1"))
    assert wrong.exit_code == ExitCode.CONFIG
    assert not keys.exists()
    right = run("trust", public, "--fingerprint", grouped(digits).upper(), "--name", "west", "--json")
    assert right.exit_code == ExitCode.OK
    assert lines(right) == [{"name": "west", "fingerprint": digits, "file": str(keys / "west.pem")}]


def test_a_damaged_folder_of_keys_ends_with_1(keys: Path) -> None:
    keys.mkdir()
    (keys / "words.pem").write_text("words", encoding="utf-8")
    listed = run("keys", "--json")
    assert listed.exit_code == ExitCode.FOUND_FAULTS
    assert "words.pem" in lines(listed)[-1]["reason"]


def test_from_a_stranger_to_a_known_one_and_back(
    public: Path, stranger: Ed25519PrivateKey, keys: Path, tmp_path: Path
) -> None:
    bundle = build(tmp_path / "models" / "west", task="west_task", name="west")
    write_sums(bundle, Speaks("west_task", "west", 1), stranger)
    digits = fingerprint_of(stranger.public_key())

    def found() -> tuple[Signer | None, list[ModelBundleError]]:
        with open_registry(Settings(models=(bundle.parent,)), tmp_path / "cache") as registry:
            west = registry.bundle("west_task")
            return west and west.signer, registry.problems

    nobody, (refused,) = found()
    assert nobody is None
    assert grouped(digits) in refused.what
    assert "scanside models trust" in refused.remedy
    run("trust", public, "--fingerprint", digits)
    assert found() == (Signer(name="clinic-west", fingerprint=digits), [])
    assert run("revoke", grouped(digits), "--json").exit_code == ExitCode.OK
    nobody, (refused,) = found()
    assert nobody is None
    assert "revoked" in refused.what
    assert [key["verdict"] for key in lines(run("keys", "--json"))] == ["TRUSTED", "REVOKED"]


def test_the_trail_says_whose_bundles_are_taken_and_no_longer_taken(
    public: Path, stranger: Ed25519PrivateKey, keys: Path, tmp_path: Path
) -> None:
    layout = Layout(data=tmp_path / "device")
    layout.create()
    Database.open(layout.database, data=layout.data, clock=SystemClock()).close()
    digits = fingerprint_of(stranger.public_key())
    assert run("trust", public, "--fingerprint", digits, "--data", layout.data).exit_code == ExitCode.OK
    assert run("revoke", digits, "--data", layout.data).exit_code == ExitCode.OK
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        events = [row.event for row in Trail(database).rows()]
    assert {event.kind for event in events} == {AuditKind.TRUST}
    assert [event.about for event in events] == [(("trusted", digits),), (("revoked", digits),)]
