# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A private key is encrypted, its owner's only, and never written over anything."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from appliance.errors import ConfigError, ExitCode
from appliance.models.keys import fingerprint_of, grouped, read_public_key
from export.keys import MIN_PASSPHRASE, app, new_key, open_key

WORDS = "four words nobody joins"


def test_a_pair_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    file = tmp_path / "west.pem"
    public = new_key(file, passphrase=WORDS)
    assert public == tmp_path / "west.public.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in file.read_bytes()
    key = open_key(file, passphrase=WORDS)
    assert fingerprint_of(key.public_key()) == fingerprint_of(read_public_key(public))
    for wrong in (WORDS + " ", "", None):
        with pytest.raises(ConfigError, match="does not open"):
            open_key(file, passphrase=wrong)
    public.chmod(0o600)
    with pytest.raises(ConfigError, match="does not open"):
        open_key(public, passphrase=WORDS)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "west.pem"
    new_key(file, passphrase=WORDS)
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="never written over"):
        new_key(file, passphrase=WORDS)
    link = tmp_path / "link.pem"
    link.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(ConfigError, match="never written over"):
        new_key(link, passphrase=WORDS)
    assert file.read_bytes() == before
    assert not (tmp_path / "elsewhere.pem").exists()


def test_a_short_passphrase_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fewer than 15"):
        new_key(tmp_path / "a.pem", passphrase="x" * (MIN_PASSPHRASE - 1))
    assert list(tmp_path.iterdir()) == []


def test_keys_that_others_may_read_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "west.pem"
    new_key(file, passphrase=WORDS)
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="Others may read"):
        open_key(file, passphrase=WORDS)
    curve = tmp_path / "curve.pem"
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    curve.write_bytes(pem)
    curve.chmod(0o600)
    with pytest.raises(ConfigError, match="another kind"):
        open_key(curve, passphrase=None)
    with pytest.raises(ConfigError, match="cannot be read"):
        open_key(tmp_path / "none.pem", passphrase=None)


def test_the_commands_say_the_same_fingerprint(tmp_path: Path) -> None:
    asked = CliRunner().invoke(app, ["new", str(tmp_path / "west.pem")], input=f"{WORDS}\n{WORDS}\n")
    assert asked.exit_code == ExitCode.OK, asked.output
    shown = CliRunner().invoke(app, ["show", str(tmp_path / "west.public.pem")])
    digits = grouped(fingerprint_of(open_key(tmp_path / "west.pem", passphrase=WORDS).public_key()))
    assert shown.stdout.strip() == digits
    assert digits in asked.stdout
    assert WORDS not in asked.output
    (tmp_path / "words").write_text(WORDS + "\n", encoding="utf-8")
    given = CliRunner().invoke(
        app, ["new", str(tmp_path / "east.pem"), "--passphrase-file", str(tmp_path / "words")]
    )
    assert given.exit_code == ExitCode.OK
    assert open_key(tmp_path / "east.pem", passphrase=WORDS)
    again = CliRunner().invoke(
        app, ["new", str(tmp_path / "east.pem"), "--passphrase-file", str(tmp_path / "none")]
    )
    assert again.exit_code == ExitCode.CONFIG
