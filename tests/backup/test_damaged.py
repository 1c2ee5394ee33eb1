# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A backup that is not whole, was changed, or is another's is refused, and nothing here changes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.backup.manifest import CONTEXT, BackupRefusedError, read_manifest
from appliance.backup.restoring import check_backup
from appliance.backup.writing import BackupWish, make_backup
from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.courier.signing import sign
from appliance.device_key import device_key, public_pem
from appliance.layout import Layout
from appliance.store.connection import Database
from tests.backup.conftest import nothing_to_see

Make = Callable[..., Any]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a bit of the store": lambda folder: flip(folder / "store" / "scanside.sqlite"),
    "a bit of the list": lambda folder: flip(folder / "manifest.json"),
    "a bit of the signature": lambda folder: flip(folder / "SIGNATURE"),
    "a cut file": lambda folder: (folder / "store" / "scanside.sqlite").write_bytes(b"SQLite format 3"),
    "a missing file": lambda folder: (folder / "releases" / "releases.json").unlink(),
    "no list": lambda folder: (folder / "manifest.json").unlink(),
    "no signature": lambda folder: (folder / "SIGNATURE").unlink(),
    "no key": lambda folder: (folder / "device.pem").unlink(),
    "a key that is none": lambda folder: (folder / "device.pem").write_bytes(b"x"),
    "another key": lambda folder: (folder / "device.pem").write_bytes(
        public_pem(Ed25519PrivateKey.generate())
    ),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_it_is_refused(damage: str, tmp_path: Path, device: Layout, make: Make, put_back: Make) -> None:
    folder, _ = make()
    DAMAGES[damage](folder)
    new = Layout(data=tmp_path / "new")
    shutil.copytree(device.keys, new.keys)
    before = sorted(new.data.rglob("*"))
    with pytest.raises(BackupRefusedError) as told:
        put_back(folder, new)
    assert told.value.remedy
    assert sorted(new.data.rglob("*")) == before


def resigned(folder: Path, signer: Layout, **other: Any) -> None:
    """As somebody with the device's key could do it."""
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8")) | other
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    text = (folder / "manifest.json").read_bytes()
    key = device_key(signer.keys)
    (folder / "SIGNATURE").write_bytes(sign(text, key, context=CONTEXT))


@pytest.mark.parametrize(
    "other",
    [
        {"format": "scanside backup 2"},
        {"device": "0" * 64},
        {"parts": [{"path": "../../etc/cron.d/x", "sha256": "0" * 64, "size_bytes": 1}]},
        {"parts": [{"path": "/etc/x", "sha256": "0" * 64, "size_bytes": 1}]},
        {"parts": [{"path": "a/.hidden", "sha256": "0" * 64, "size_bytes": 1}]},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_list_of_another_form_is_refused(other: dict[str, Any], device: Layout, make: Make) -> None:
    folder, _ = make()
    resigned(folder, device, **other)
    with pytest.raises(BackupRefusedError):
        read_manifest(folder)


def test_a_trail_that_was_cut_before_it_was_packed_is_refused(
    device: Layout, make: Make, put_back: Make
) -> None:
    folder, manifest = make()
    store = folder / "store" / "scanside.sqlite"
    with Database.open(store, data=device.data, clock=SystemClock()) as database:
        database.read("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)")
        database.read("PRAGMA journal_mode=DELETE")
    sha256 = hashlib.sha256(store.read_bytes()).hexdigest()
    parts = [
        {
            "path": part.path,
            "sha256": sha256 if part.path.endswith("sqlite") else part.sha256,
            "size_bytes": 1,
        }
        for part in manifest.parts
    ]
    resigned(folder, device, parts=parts)
    shutil.rmtree(device.database.parent)
    with pytest.raises(BackupRefusedError, match="does not hold"):
        put_back(folder, device)
    assert not device.database.exists()


def test_the_right_device_can_be_asked_for(device: Layout, tmp_path: Path, make: Make) -> None:
    folder, manifest = make()
    mine, other = tmp_path / "mine.pem", tmp_path / "other.pem"
    mine.write_bytes(public_pem(device_key(device.keys)))
    other.write_bytes(public_pem(Ed25519PrivateKey.generate()))
    assert check_backup(folder, key_file=mine, progress=nothing_to_see) == manifest
    with pytest.raises(BackupRefusedError, match=r"not of the device of other\.pem"):
        check_backup(folder, key_file=other, progress=nothing_to_see)


def test_an_unfinished_backup_has_no_name(device: Layout, tmp_path: Path, make: Make) -> None:
    def full(done_bytes: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        make_backup(
            tmp_path / "stick",
            BackupWish(),
            settings=Settings(),
            layout=device,
            clock=SystemClock(),
            progress=full,
        )
    assert list((tmp_path / "stick").iterdir()) == []
