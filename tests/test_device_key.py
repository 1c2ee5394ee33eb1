# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The device's own key: one for ever, for its owner's eyes only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from appliance.device_key import DEVICE_KEY, device_key, link_of, public_pem, secret_made_once
from appliance.errors import ConfigError

ASKERS = 16


def raw(folder: Path) -> bytes:
    return device_key(folder).private_bytes_raw()


def test_it_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = raw(folder)
    assert raw(folder) == first
    assert (folder / DEVICE_KEY).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in folder.iterdir()] == [DEVICE_KEY]
    assert raw(tmp_path / "another device") != first


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(ASKERS) as threads:
        assert len(set(threads.map(raw, [tmp_path / "keys"] * ASKERS))) == 1
    assert [file.name for file in (tmp_path / "keys").iterdir()] == [DEVICE_KEY]


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    device_key(tmp_path)
    (tmp_path / DEVICE_KEY).chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others"):
        device_key(tmp_path)


def test_a_damaged_key_is_said_and_never_replaced(tmp_path: Path) -> None:
    device_key(tmp_path)
    (tmp_path / DEVICE_KEY).write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(ConfigError, match="no Ed25519 private key"):
        device_key(tmp_path)
    assert (tmp_path / DEVICE_KEY).read_bytes() == b"-----BEGIN PRIVATE KEY-----\n"


def test_the_public_half_is_what_others_verify_with(tmp_path: Path) -> None:
    key = device_key(tmp_path)
    pem = public_pem(key)
    assert b"PRIVATE" not in pem
    load_pem_public_key(pem).verify(key.sign(b"slip"), b"slip")  # type: ignore[union-attr,call-arg]


def test_nothing_stays_of_a_secret_that_could_not_be_made(tmp_path: Path) -> None:
    def broken() -> bytes:
        raise OSError("no entropy")

    with pytest.raises(OSError, match="no entropy"):
        secret_made_once(tmp_path / "secret", broken)
    assert not list(tmp_path.iterdir())


def test_a_link_is_always_the_same_and_another_device_has_another(tmp_path: Path) -> None:
    one, other = device_key(tmp_path / "one"), device_key(tmp_path / "other")
    assert link_of(one, "1.2.3") == link_of(device_key(tmp_path / "one"), "1.2.3")
    assert len({link_of(one, "1.2.3"), link_of(one, "1.2.4"), link_of(other, "1.2.3")}) == 3
    assert len(link_of(one, "1.2.3")) == 32
