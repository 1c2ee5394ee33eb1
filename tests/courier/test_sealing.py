# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whom a bundle is encrypted for, and the secret that opens it."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.courier.sealing import IDENTITY_FILE, own_identity, read_identities
from appliance.device_key import secret_made_once
from appliance.errors import ConfigError
from tests.courier_site import Site, bundles_on

ASKERS = 16


def own(folder: Path) -> str:
    return str(own_identity(folder))


def test_the_identity_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with ThreadPoolExecutor(ASKERS) as threads:
        assert len(set(threads.map(own, [folder] * ASKERS))) == 1
    assert [file.name for file in folder.iterdir()] == [IDENTITY_FILE]
    assert (folder / IDENTITY_FILE).stat().st_mode & 0o777 == 0o600
    (folder / IDENTITY_FILE).chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others"):
        own(folder)


def test_nothing_stays_of_a_secret_that_could_not_be_made(tmp_path: Path) -> None:
    def broken() -> bytes:
        raise OSError("no entropy")

    with pytest.raises(OSError, match="no entropy"):
        secret_made_once(tmp_path / "secret", broken)
    assert not list(tmp_path.iterdir())


def test_an_ssh_key_opens_what_was_encrypted_for_it(
    clinic: Site, hospital: Site, stick: Path, tmp_path: Path
) -> None:
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    clinic.recipients = (key.with_suffix(".pub").read_text(encoding="ascii").strip(),)
    clinic.land(b"image")
    clinic.pack(stick)
    opener = hospital.opener(tmp_path / "out")
    opener._identities = read_identities(hospital.layout.keys, (key,))
    assert opener.open(bundles_on(stick)[0]).paths[0].read_bytes() == b"image"


def test_a_file_without_a_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"nothing")
    for file in (tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(ConfigError):
            read_identities(tmp_path, (file,))
