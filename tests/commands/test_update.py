# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside update` as a person at the device types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from appliance.cli import app
from appliance.clock import SystemClock
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.models.keys import fingerprint_of
from appliance.store.audit import Trail
from appliance.store.connection import Database
from benchmarks.faults.update_bundles import KEY, tiny
from tests.updates.test_choice import proved, put_slot, root, slot_of

assert root  # a fixture


class Device:
    """Commands on one device."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.config = folder / "device.toml"
        self.keys = folder / "keys"
        self.config.write_text(f'[update]\nkeys = "{self.keys}"\n', encoding="utf-8")

    def __call__(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["update", *words])
        return done.exit_code, done.output

    def told(self, *words: str) -> dict[str, Any]:
        code, said = self(*words, "--json")
        assert code == ExitCode.OK, said
        found: dict[str, Any] = json.loads(said)
        return found


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def public_key(folder: Path) -> Path:
    """The maker's, as a file."""
    pem = folder / "maker.public.pem"
    pem.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return pem


def test_a_key_is_trusted_and_no_more(device: Device, tmp_path: Path) -> None:
    config = ("--config", str(device.config))
    pem = public_key(tmp_path)
    digits = fingerprint_of(KEY.public_key())
    code, said = device("trust", str(pem), "--fingerprint", "0" * 64, *config)
    assert code == ExitCode.CONFIG, said
    assert device.told("trust", str(pem), "--fingerprint", digits, *config)["name"] == "maker"
    assert device.told("keys", *config)["verdict"] == "TRUSTED"
    update = str(tiny(3, tmp_path / "made"))
    checked = device.told("check", update, "--root", str(tmp_path / "root"), *config)
    assert (checked["release"], checked["signer"]["name"]) == (3, "maker")
    device.told("revoke", digits, *config)
    assert device.told("keys", *config)["verdict"] == "REVOKED"
    code, said = device("check", update, "--root", str(tmp_path / "root"), *config)
    assert code == ExitCode.FOUND_FAULTS
    assert "which was revoked" in said


def test_the_trail_says_whose_updates_are_taken_and_no_longer_taken(device: Device, tmp_path: Path) -> None:
    there = ("--config", str(device.config), "--data", str(device.data))
    layout = Layout(data=device.data)
    layout.create()
    Database.open(layout.database, data=layout.data, clock=SystemClock()).close()
    pem = public_key(tmp_path)
    digits = fingerprint_of(KEY.public_key())
    device.told("trust", str(pem), "--fingerprint", digits, *there)
    device.told("revoke", digits, *there)
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        about = [row.event.about for row in Trail(database).rows()]
    assert about == [(("trusted for updates", digits),), (("revoked for updates", digits),)]


def test_to_new_software_and_back(device: Device, root: Path) -> None:
    there = ("--root", str(root), "--data", str(device.data))
    layout = Layout(data=device.data)
    layout.create()
    Database.open(layout.database, data=layout.data, clock=SystemClock()).close()
    code, said = device("rollback", *there)
    assert code == ExitCode.FOUND_FAULTS
    assert "nothing to go back to" in said
    assert device.told("switch", *there) == {"version": "0.3.0", "running": False}
    status = device.told("status", "--root", str(root))
    assert (status["version"], status["confirmed"], status["back_to"]) == ("0.3.0", False, "0.2.0")
    code, said = device("status", "--root", str(root))
    assert "on trial" in said
    assert "All of it." in said
    assert device.told("rollback", *there) == {"version": "0.2.0", "running": False}
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        about = [row.event.about[0] for row in Trail(database).rows()]
    assert about == [("chosen", "0.3.0"), ("back to", "0.2.0")]


def test_a_store_that_takes_nothing_keeps_nobody_from_going_back(device: Device, root: Path) -> None:
    proved(root)
    layout = Layout(data=device.data)
    layout.create()
    layout.database.write_bytes(b"no store" * 1000)
    there = ("--root", str(root), "--data", str(device.data))
    assert device.told("rollback", *there)["version"] == "0.2.0"


def test_without_slots_it_says_where_it_looked(device: Device, tmp_path: Path) -> None:
    code, said = device("status", "--root", str(tmp_path))
    assert code == ExitCode.FOUND_FAULTS
    assert "scanside update install" in said
    put_slot(tmp_path, slot_of("a", 2))
    assert device.told("status", "--root", str(tmp_path))["version"] == "0.2.0"
    code, said = device("switch", "--root", str(tmp_path), "--data", str(device.data))
    assert code == ExitCode.FOUND_FAULTS
    assert "No other software is installed" in said


def test_the_first_software_is_not_to_be_switched_to(device: Device, tmp_path: Path) -> None:
    """`update switch` would refuse it: the launcher starts it as it is."""
    config = ("--config", str(device.config))
    pem = public_key(tmp_path)
    device.told("trust", str(pem), "--fingerprint", fingerprint_of(KEY.public_key()), *config)
    there = ("--root", str(tmp_path / "root"), "--data", str(device.data), *config)
    code, said = device("install", str(tiny(2, tmp_path / "made")), *there)
    assert code == ExitCode.OK, said
    assert "the launcher starts it" in said
    assert "update switch" not in said
    code, said = device("install", str(tiny(3, tmp_path / "made")), *there)
    assert code == ExitCode.OK, said
    assert "Use it: scanside update switch" in said
