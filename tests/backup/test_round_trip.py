# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What was backed up comes back: to a new device, to one with a damaged store, sealed or in the clear."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from appliance.backup.manifest import BackupRefusedError
from appliance.clock import SystemClock
from appliance.device_key import audit_key_of, device_key
from appliance.errors import ConfigError, StoreError
from appliance.layout import Layout
from appliance.store.anchors import anchors_beside
from appliance.store.audit import Trail
from appliance.store.audit_check import TrailReport, check_trail
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.decisions import Choice
from appliance.store.proofs import Proofs
from tests.backup.conftest import EXAMS, decide, decisions

Make = Callable[..., Any]


def new_device(tmp_path: Path, *, keys_of: Layout | None = None) -> Layout:
    layout = Layout(data=tmp_path / "new")
    if keys_of is not None:
        shutil.copytree(keys_of.keys, layout.keys)
    return layout


def trail_of(layout: Layout) -> TrailReport:
    key = audit_key_of(device_key(layout.keys))
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        return check_trail(Trail(database), key=key, beside=list(anchors_beside(layout.data, key)))


def damages(layout: Layout) -> int:
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        return sum(damage.files for damage in Proofs(database).damages())


def test_with_images_nothing_is_missing(device: Layout, tmp_path: Path, make: Make, put_back: Make) -> None:
    folder, manifest = make(images=True)
    assert manifest.has_images
    new = new_device(tmp_path, keys_of=device)
    done = put_back(folder, new)
    assert (done.missing_images, done.lost_rows, done.kept, done.old_store) == (0, 0, (), None)
    assert decisions(new) == ["keep"]
    with Database.open_to_read(new.database, data=new.data, clock=SystemClock()) as database:
        assert len(list(Board(database).entries())) == EXAMS
        assert all(file.path.read_bytes() for file in Proofs(database).all_stored())
    for name in ("models/chest_triage/slots.json", "releases/releases.json", "settings/last-good-1.toml"):
        assert (new.data / name).read_bytes() == (device.data / name).read_bytes()
    report = trail_of(new)
    assert report.faults == ()
    assert report.count == manifest.audit_rows + 1  # that it was restored


def test_without_images_the_missing_ones_are_said(
    device: Layout, tmp_path: Path, make: Make, put_back: Make
) -> None:
    folder, manifest = make()
    assert any("images" in words for words in manifest.left_out)
    assert not (folder / "spool").exists()
    new = new_device(tmp_path, keys_of=device)
    done = put_back(folder, new)
    assert done.missing_images == damages(new) == EXAMS
    report = trail_of(new)
    assert report.faults == ()


def test_sealed_with_keys_a_new_device_is_the_old_one(
    device: Layout, tmp_path: Path, make: Make, put_back: Make
) -> None:
    identity = pyrage.x25519.Identity.generate()
    folder, manifest = make(images=True, keys=True, recipients=(str(identity.to_public()),))
    assert manifest.is_sealed
    files = [path for path in folder.rglob("*") if path.is_file()]
    plain = {path.name for path in files if path.suffix != ".age"}
    assert plain == {"manifest.json", "SIGNATURE", "device.pem"}
    assert all(
        path.read_bytes().startswith(b"age-encryption.org/v1") for path in files if path.suffix == ".age"
    )
    new = new_device(tmp_path)
    with pytest.raises(BackupRefusedError, match="encrypted for somebody else"):
        put_back(folder, new, identities=(pyrage.x25519.Identity.generate(),))
    with pytest.raises(BackupRefusedError, match="no identity here"):
        put_back(folder, new)
    assert not new.database.exists()
    done = put_back(folder, new, identities=(identity,))
    assert done.missing_images == 0
    assert (new.keys / "device.pem").read_bytes() == (device.keys / "device.pem").read_bytes()
    assert (new.keys / "device.pem").stat().st_mode & 0o777 == 0o600
    assert trail_of(new).faults == ()


def test_keys_are_never_copied_in_the_clear(make: Make) -> None:
    with pytest.raises(ConfigError, match="never copied in the clear"):
        make(keys=True)
    with pytest.raises(ConfigError, match="no recipient"):
        make(keys=True, recipients=("age1x",))


def test_without_the_key_nothing_is_restored_unless_a_person_says_so(
    tmp_path: Path, make: Make, put_back: Make
) -> None:
    folder, _ = make()
    new = new_device(tmp_path)
    with pytest.raises(BackupRefusedError, match="neither here nor in the backup"):
        put_back(folder, new)
    assert not new.database.exists()
    put_back(folder, new, new_key=True)
    assert decisions(new) == ["keep"]
    assert any(
        "not written by this device" in fault for fault in trail_of(new).faults
    )  # and audit verify says it


def test_a_damaged_store_is_moved_aside_and_what_is_lost_is_said(
    device: Layout, make: Make, put_back: Make
) -> None:
    folder, manifest = make()
    decide(device, Choice.REPEAT)
    rows = trail_of(device).count
    assert rows > manifest.audit_rows
    content = bytearray(device.database.read_bytes())
    content[100:] = b"\xaa" * (len(content) - 100)
    for file in device.database.parent.glob("scanside.sqlite*"):
        file.unlink()
    device.database.write_bytes(content)
    done = put_back(folder, device)
    assert done.lost_rows == rows - manifest.audit_rows
    assert done.missing_images == 0  # the spool is still here
    assert done.old_store is not None
    assert (device.data / done.old_store / "scanside.sqlite").read_bytes() == bytes(content)
    assert decisions(device) == ["keep"]
    assert trail_of(device).faults == ()


def test_a_whole_newer_store_stays(device: Layout, make: Make, put_back: Make) -> None:
    folder, _ = make()
    decide(device, Choice.REPEAT)
    with pytest.raises(BackupRefusedError, match="whole and newer"):
        put_back(folder, device)
    assert decisions(device) == ["keep", "repeat"]


def test_a_store_of_newer_software_stays(device: Layout, make: Make, put_back: Make) -> None:
    folder, _ = make()
    with Database.open(device.database, data=device.data, clock=SystemClock()) as database:
        database.read("PRAGMA user_version=999")
    with pytest.raises(BackupRefusedError, match="version 999"):
        put_back(folder, device)


def test_another_device_is_not_overwritten(
    device: Layout, tmp_path: Path, make: Make, put_back: Make
) -> None:
    folder, _ = make()
    other = new_device(tmp_path)
    with Database.open(other.database, data=other.data, clock=SystemClock()):
        pass
    with pytest.raises(BackupRefusedError, match="is of the device"):
        put_back(folder, other)


def test_what_lies_there_already_stays_and_is_said(
    device: Layout, tmp_path: Path, make: Make, put_back: Make
) -> None:
    folder, _ = make()
    new = new_device(tmp_path, keys_of=device)
    new.releases.mkdir(parents=True)
    (new.releases / "releases.json").write_text('{"newer": 1}', encoding="utf-8")
    assert put_back(folder, new).kept == ("releases/releases.json",)
    assert (new.releases / "releases.json").read_text(encoding="utf-8") == '{"newer": 1}'


def test_while_others_write_the_copy_is_of_one_moment(
    device: Layout, tmp_path: Path, make: Make, put_back: Make
) -> None:
    stop = threading.Event()

    def write_on() -> None:
        while not stop.is_set():
            decide(device, Choice.KEEP)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        folder, manifest = make()
    finally:
        stop.set()
        writer.join()
    assert manifest.trail_faults == ()
    new = new_device(tmp_path, keys_of=device)
    put_back(folder, new)
    assert trail_of(new).faults == ()
    assert len(decisions(new)) <= len(decisions(device))


def test_a_trail_that_had_a_fault_is_copied_and_told(device: Layout, make: Make, put_back: Make) -> None:
    with Database.open(device.database, data=device.data, clock=SystemClock()) as database:
        database.read("UPDATE audit SET record = replace(record, 'watcher', 'nobody') WHERE number = 2")
    folder, manifest = make()
    assert any("row 2" in fault for fault in manifest.trail_faults)
    device.database.unlink()
    put_back(folder, device)


def test_without_a_store_or_room_nothing_is_written(
    tmp_path: Path, make: Make, device: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.backup.writing.ROOM_BYTES", 10**15)
    with pytest.raises(StoreError, match="MiB free"):
        make()
    shutil.rmtree(device.database.parent)
    with pytest.raises(StoreError, match="no store"):
        make()
    assert list((tmp_path / "stick").iterdir()) == []
