# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Real updates with tiny software, installed into slots; every way to change one is in tests/faults."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.errors import UpdateError
from appliance.updates import steps
from appliance.updates.choice import COMPLETE, Slot, confirm, read_choice, read_slot, slot_folder
from appliance.updates.install import check, install
from appliance.updates.slot_build import PLATFORM
from benchmarks.faults.update_bundles import (
    KEY,
    manifest_for,
    pip_wheel,
    tiny,
    tiny_wheel,
    trust,
    version_of,
)
from benchmarks.faults.update_cuts import boots
from export.update import pack_update, signed_files

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tiny updates are made."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Path:
    """A root on which release 2 runs. Tests leave it as it is."""
    root = tmp_path_factory.mktemp("device")
    put_in(tiny(2, made), root)
    return root


def put_in(update: Path, root: Path) -> tuple[Slot, bool]:
    return install(update, root=root, trust=trust(), clock=CLOCK, progress=lambda _: None)


def test_an_update_goes_into_the_slot_that_does_not_run(tmp_path: Path, made: Path) -> None:
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "of_the_machine.py").touch()
    root = tmp_path / "root"
    root.mkdir()
    (root / PLATFORM).write_text(f"{layer}\n", encoding="utf-8")
    first, new = put_in(tiny(2, made), root)
    assert (first.name, new) == ("a", True)
    assert boots(root) == version_of(2)
    one_file = tmp_path / "scanside.update"
    wheels = sorted(tiny(3, made).glob("*.whl"))
    pack_update(wheels, manifest_for(wheels, 3), KEY, one_file)
    second, new = put_in(one_file, root)
    assert (second.name, second.version, new) == ("b", version_of(3), True)
    assert put_in(one_file, root) == (second, False)
    assert boots(root) == version_of(2), "nothing is chosen by installing"
    assert not (root / "incoming").exists()
    steps.switch(root, limit_s=60.0, clock=CLOCK)
    assert boots(root) == version_of(3)
    with pytest.raises(UpdateError, match="not proved itself"):
        put_in(tiny(4, made), root)
    choice = read_choice(root)
    assert choice is not None
    confirm(root, choice)
    with pytest.raises(UpdateError, match="runs already"):
        put_in(one_file, root)
    (site,) = slot_folder(root, "b").glob("lib/*/site-packages")
    assert (site / "platform.pth").read_text(encoding="utf-8") == f"{layer}\n"


def test_looking_changes_nothing(device: Path, made: Path) -> None:
    before = sorted(device.rglob("*"))
    assert check(tiny(3, made), root=device, trust=trust()).manifest.version == version_of(3)
    assert sorted(device.rglob("*")) == before


def test_no_room_is_said_before_anything_is_touched(device: Path, made: Path, tmp_path: Path) -> None:
    update = shutil.copytree(tiny(3, made), tmp_path / "update")
    manifest = replace(manifest_for(sorted(update.glob("*.whl")), 3), installed_bytes=1 << 60)
    for name, content in signed_files(manifest, KEY).items():
        (update / name).write_bytes(content)
    with pytest.raises(UpdateError, match="MiB are missing"):
        put_in(update, device)
    assert read_slot(device, "b") is None
    assert not slot_folder(device, "b").exists()


def test_software_that_does_not_come_up_is_not_there(device: Path, tmp_path: Path) -> None:
    update = tmp_path / "update"
    update.mkdir()
    tiny_wheel(
        update, "scanside", "0.9.0", {"appliance/__init__.py": "", "appliance/__main__.py": "print(1)\n"}
    )
    pip_wheel(update)
    wheels = sorted(update.iterdir())
    for name, content in signed_files(manifest_for(wheels, 9), KEY).items():
        (update / name).write_bytes(content)
    with pytest.raises(UpdateError, match=r"says '1', not '0\.9\.0'"):
        put_in(update, device)
    assert read_slot(device, "b") is None
    assert boots(device) == version_of(2)


def test_a_slot_speaks_for_itself_only(device: Path) -> None:
    complete = slot_folder(device, "a") / COMPLETE
    content = complete.read_text(encoding="utf-8")
    try:
        complete.write_text(json.dumps(json.loads(content) | {"name": "b"}), encoding="utf-8")
        assert read_choice(device) is None
    finally:
        complete.write_text(content, encoding="utf-8")
