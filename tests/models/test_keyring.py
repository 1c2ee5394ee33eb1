# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Adding and revoking: nothing is written over, a damaged list is not lengthened."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ConfigError, ModelBundleError
from appliance.models.keyring import add_key, looked_at, revoke
from appliance.models.keys import fingerprint_of, read_trust
from tests.tiny_bundles import write_public_key


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_public_key(Ed25519PrivateKey.generate(), tmp_path / "from-a-stick" / "west.public.pem")


def test_a_key_is_trusted_once_it_was_added(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    candidate = looked_at(file)
    assert candidate.signer.name == "west"
    assert not folder.exists(), "looking is not trusting"
    for _ in range(2):
        assert add_key(candidate, folder=folder) == folder / "west.pem"
    assert list(read_trust((folder,)).keys) == [candidate.signer.fingerprint]
    assert looked_at(file, name="vendor").signer.name == "vendor"


@pytest.mark.parametrize("name", ["../west", "a/b", ".hidden", "blank s", "x" * 64])
def test_a_name_that_leads_elsewhere_is_refused(file: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be called"):
        looked_at(file, name=name)


def test_another_key_of_that_name_stays(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = add_key(looked_at(file), folder=folder).read_bytes()
    other = write_public_key(Ed25519PrivateKey.generate(), tmp_path / "west.pem")
    with pytest.raises(ConfigError, match="another key called west"):
        add_key(looked_at(other), folder=folder)
    add_key(looked_at(other, name="east"), folder=folder)
    with pytest.raises(ConfigError, match="another key called west"):
        add_key(looked_at(other), folder=folder)  # although it is trusted, under its own name
    assert (folder / "west.pem").read_bytes() == first


def test_a_revoked_key_is_out_and_does_not_come_back(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    candidate = looked_at(file)
    add_key(candidate, folder=folder)
    (folder / "revoked").write_bytes(b"# \xfcber Nacht, no end of line")
    for _ in range(2):
        revoke(candidate.signer.fingerprint, folder=folder)
    assert (folder / "revoked").read_bytes().splitlines() == [
        b"# \xfcber Nacht, no end of line",
        candidate.signer.fingerprint.encode(),
    ]
    assert not read_trust((folder,)).keys
    with pytest.raises(ConfigError, match="was revoked here"):
        add_key(candidate, folder=folder)


def test_what_is_no_fingerprint_or_a_damaged_list_changes_nothing(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with pytest.raises(ConfigError, match="no fingerprint"):
        revoke("abc", folder=folder)
    folder.mkdir()
    (folder / "revoked").write_text("words\n", encoding="utf-8")
    with pytest.raises(ModelBundleError, match="no fingerprint"):
        revoke("0" * 64, folder=folder)
    with pytest.raises(ModelBundleError, match="no fingerprint"):
        add_key(looked_at(file), folder=folder)
    assert (folder / "revoked").read_text(encoding="utf-8") == "words\n"


def test_the_first_key_ever_revoked_makes_the_list(tmp_path: Path) -> None:
    digits = fingerprint_of(Ed25519PrivateKey.generate().public_key())
    revoke(digits, folder=tmp_path / "keys")
    assert read_trust((tmp_path / "keys",)).revoked == {digits}


def test_the_appliance_can_read_what_a_cautious_administrator_wrote(file: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        written = add_key(looked_at(file), folder=tmp_path / "keys")
        listed = revoke("0" * 64, folder=tmp_path / "keys")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (written.parent, written, listed)] == [
        0o755,
        0o644,
        0o644,
    ]


def test_a_folder_that_cannot_be_written_is_said_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "keys" / "revoked.part").mkdir(parents=True)  # nobody can write there
    with pytest.raises(ConfigError, match="cannot be written") as error:
        revoke("0" * 64, folder=tmp_path / "keys")
    assert "sudo" in error.value.remedy
