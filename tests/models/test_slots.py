# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What one small file says, and that it always says something whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ModelBundleError, StoreError
from appliance.models.bundle import Bundle
from appliance.models.keys import read_trust
from appliance.models.slots import SlotFolder, Slots, key_of
from tests.tiny_bundles import (
    Speaks,
    keys_folder,
    read_signed,
    sign_sums,
    trusted,
    write_public_key,
)

MakeBundle = Callable[..., Path]
TASK = "ct_denoise"


@pytest.fixture
def slots(tmp_path: Path) -> SlotFolder:
    return SlotFolder(tmp_path / "data" / "models", trust=trusted())


@pytest.fixture
def releases(make_bundle: MakeBundle, tmp_path: Path) -> tuple[Bundle, Bundle, Bundle]:
    one, two, three = (read_signed(make_bundle(tmp_path / f"r{n}", release=n)) for n in (1, 2, 3))
    return one, two, three


def test_nothing_installed_says_nothing(slots: SlotFolder) -> None:
    assert slots.tasks() == ()
    assert slots.read(TASK) == Slots()
    assert slots.installed(TASK) == ()
    assert slots.mark(TASK) is None


def test_installing_copies_whole_and_serves_nothing(
    slots: SlotFolder, releases: tuple[Bundle, Bundle, Bundle]
) -> None:
    path, new = slots.install(releases[0])
    assert new
    assert path.name == key_of(releases[0])
    assert read_signed(path).sums_sha256 == releases[0].sums_sha256
    assert slots.install(releases[0]) == (path, False)
    slots.install(releases[2])
    slots.install(releases[1])
    assert [bundle.card.release for _, bundle in slots.installed(TASK)] == [3, 2, 1]
    assert slots.tasks() == (TASK,)
    assert slots.read(TASK).active is None


def test_what_changed_since_it_was_read_is_not_installed(
    slots: SlotFolder, releases: tuple[Bundle, Bundle, Bundle]
) -> None:
    (releases[0].folder / "gate.json").write_text("{ }", encoding="utf-8")
    with pytest.raises(ModelBundleError, match="not the file that SHA256SUMS lists"):
        slots.install(releases[0])
    assert slots.installed(TASK) == ()
    left = [path.name for path in (slots.release(TASK, "0").parent).iterdir()]
    assert left == [], "nothing half copied stays"


def test_a_damaged_release_is_installed_again(
    slots: SlotFolder, releases: tuple[Bundle, Bundle, Bundle]
) -> None:
    path, _ = slots.install(releases[0])
    (path / "model.onnx").write_bytes(b"gone bad")
    assert slots.installed(TASK) == ()
    assert slots.install(releases[0]) == (path, True)
    assert len(slots.installed(TASK)) == 1


def test_the_same_files_signed_anew_bring_their_signature(
    releases: tuple[Bundle, Bundle, Bundle], tmp_path: Path
) -> None:
    """A key that is to be revoked: the bundle must live on under the new one."""
    other, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    write_public_key(other, tmp_path / "keys" / "other.pem")
    slots = SlotFolder(tmp_path / "models", trust=read_trust((keys_folder(), tmp_path / "keys")))
    path, _ = slots.install(releases[0])
    speaks = Speaks(TASK, "halve", 1)
    sign_sums(releases[0].folder, speaks, other)
    assert slots.install(releases[0]) == (path, True)
    assert slots.installed(TASK)[0][1].signer is not None
    assert slots.installed(TASK)[0][1].signer.name == "other"  # type: ignore[union-attr]  # see above
    sign_sums(releases[0].folder, speaks, stranger)
    with pytest.raises(ModelBundleError, match="sign"):
        slots.install(releases[0])
    assert len(slots.installed(TASK)) == 1


def test_one_step_back_and_no_second(slots: SlotFolder) -> None:
    one, two = "1" * 16, "2" * 16
    assert slots.activate(TASK, one) == Slots(active=one, previous=None, may_roll_back=True)
    assert slots.activate(TASK, two) == Slots(active=two, previous=one, may_roll_back=True)
    assert slots.activate(TASK, two).previous == one, "chosen again, it is not its own way back"
    back = slots.roll_back(TASK, left_release=7)
    assert back == Slots(active=one, previous=None, may_roll_back=False, left_release=7)
    with pytest.raises(ModelBundleError, match="no earlier model"):
        slots.roll_back(TASK, left_release=None)
    assert slots.read(TASK) == back


def test_the_first_step_back_leads_to_the_folders(slots: SlotFolder) -> None:
    slots.activate(TASK, "1" * 16)
    assert slots.roll_back(TASK, left_release=1).active is None


def test_the_appliance_steps_back_only_from_what_it_saw(slots: SlotFolder) -> None:
    """A person has chosen something else meanwhile."""
    slots.activate(TASK, "1" * 16)
    chosen = slots.activate(TASK, "2" * 16)
    assert slots.roll_back(TASK, left_release=1, note="it failed", only_from="1" * 16) == chosen
    noted = slots.roll_back(TASK, left_release=2, note="it failed", only_from="2" * 16)
    assert (noted.active, noted.note) == ("1" * 16, "it failed")
    assert slots.activate(TASK, "3" * 16).note == "", "a person has looked"


def test_what_becomes_active_is_no_shadow(slots: SlotFolder) -> None:
    slots.set_shadow(TASK, "1" * 16)
    assert slots.activate(TASK, "2" * 16).shadow == "1" * 16
    assert slots.activate(TASK, "1" * 16).shadow is None
    slots.set_shadow(TASK, "2" * 16)
    assert slots.roll_back(TASK, left_release=None).shadow is None
    assert slots.set_shadow(TASK, None).shadow is None


def test_a_change_is_seen_without_reading(slots: SlotFolder) -> None:
    slots.activate(TASK, "1" * 16)
    before = slots.marks()
    assert slots.marks() == before
    slots.activate(TASK, "2" * 16)
    assert slots.marks() != before


@pytest.mark.parametrize("content", ["", "{", '{"active": 1}', '{"active": "../../elsewhere"}'])
def test_a_file_that_cannot_be_understood_is_told_and_can_be_replaced(
    slots: SlotFolder, content: str, tmp_path: Path
) -> None:
    slots.activate(TASK, "1" * 16)
    file = tmp_path / "data" / "models" / TASK / "slots.json"
    file.write_text(content or "{", encoding="utf-8")
    whole = '{"active":"../../elsewhere","previous":null,"may_roll_back":false,"shadow":null,'
    if "elsewhere" in content:
        file.write_text(whole + '"left_release":null,"note":""}', encoding="utf-8")
    with pytest.raises(ModelBundleError, match=r"scanside models activate|is no release"):
        slots.read(TASK)
    assert slots.activate(TASK, "2" * 16).active == "2" * 16
    assert slots.read(TASK).active == "2" * 16


def test_a_reader_never_sees_half_a_file(slots: SlotFolder) -> None:
    """One writes as fast as it can, another reads as fast as it can."""
    slots.activate(TASK, "0" * 16)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            slots.activate(TASK, f"{number % 10}" * 16)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {slots.read(TASK).active for _ in range(2000)}
    finally:
        stop.set()
        writer.join()
    assert None not in seen


def test_a_disk_that_cannot_be_written_is_told(
    tmp_path: Path, releases: tuple[Bundle, Bundle, Bundle]
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    slots = SlotFolder(blocked / "models", trust=trusted())
    with pytest.raises(StoreError, match="Cannot write"):
        slots.install(releases[0])
    with pytest.raises(StoreError, match="Cannot write"):
        slots.activate(TASK, "1" * 16)
