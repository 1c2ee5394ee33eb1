# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The device's key: one, kept, ours alone; links that say nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from appliance.device_key import KEY_FILE, device_key
from appliance.errors import StoreError
from appliance.models.keys import read_public_key


def test_it_is_made_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "device"
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: device_key(folder).public_pem(), range(16)))
    assert len(set(made)) == 1
    assert device_key(folder).public_pem() == made[0]
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_others_can_check_what_it_signs(tmp_path: Path) -> None:
    key = device_key(tmp_path)
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_pem())
    read_public_key(public).verify(key.signing.sign(b"slip"), b"slip")


def test_a_link_is_always_the_same_and_another_device_has_another(tmp_path: Path) -> None:
    one, other = device_key(tmp_path / "one"), device_key(tmp_path / "other")
    assert one.link_of("1.2.3") == device_key(tmp_path / "one").link_of("1.2.3")
    assert len({one.link_of("1.2.3"), one.link_of("1.2.4"), other.link_of("1.2.3")}) == 3
    assert len(one.link_of("1.2.3")) == 32
    assert "signing" not in repr(one)


def test_a_damaged_or_strange_key_is_said(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"-----BEGIN")
    with pytest.raises(StoreError, match="damaged"):
        device_key(tmp_path)
    strange = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / KEY_FILE).write_bytes(
        strange.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    with pytest.raises(StoreError, match="another kind"):
        device_key(tmp_path)
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(StoreError, match="cannot be read or made"):
        device_key(in_the_way / "device")
