# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is packed as an update of the software, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.updates.bundle import Accepted, Manifest, check_update, files_of
from appliance.updates.install import this_target
from appliance.updates.opened import open_update
from benchmarks.faults.update_bundles import KEY, MADE_AT, manifest_for, pip_wheel, tiny_wheel, trust
from export.update import manifest_of, pack_update


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "wheels"
    folder.mkdir()
    tiny_wheel(folder, "scanside", "0.7.0", {"appliance/__init__.py": ""})
    pip_wheel(folder)
    return sorted(folder.iterdir())


def test_what_is_packed_is_what_a_device_takes(wheels: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "scanside.update"
    manifest = manifest_for(wheels, 7, floor=5)
    pack_update(wheels, manifest, KEY, out)
    got: dict[str, bytes] = {}

    def keep(name: str, piece: bytes) -> None:
        got[name] = got.get(name, b"") + piece

    with open_update(out) as opened:
        checked = check_update(
            opened, trust=trust(), target=this_target(), accepted=Accepted(highest=7, floor=7)
        )
        files_of(opened, checked, keep=keep)
    assert checked.manifest == manifest
    assert got == {wheel.name: wheel.read_bytes() for wheel in wheels}
    assert (checked.manifest.version, checked.signer.name) == ("0.7.0", "figure")


Change = Callable[[list[Path]], object]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda wheels: wheels[0].with_name("notes.txt").touch(), "no wheel"),
        (lambda wheels: wheels[0].unlink(), "once each"),
        (lambda wheels: wheels[1].rename(wheels[1].with_name("other-1.0-py3-none-any.whl")), "once each"),
    ],
)
def test_a_folder_that_is_no_whole_update_is_not_packed(
    wheels: list[Path], change: Change, words: str
) -> None:
    change(wheels)
    with pytest.raises(ConfigError, match=words):
        manifest_for(sorted(wheels[0].parent.iterdir()), 7)


def test_a_floor_above_itself_and_changes_without_words_are_refused(wheels: list[Path]) -> None:
    with pytest.raises(ConfigError, match="above the release"):
        manifest_for(wheels, 7, floor=8)
    with pytest.raises(ConfigError, match="Nothing says what changed"):
        manifest_of(
            wheels, release=7, security_floor=0, changes=(), target=this_target(), made_at_utc=MADE_AT
        )


def test_the_same_wheels_give_the_same_manifest(wheels: list[Path]) -> None:
    first: Manifest = manifest_for(wheels, 7)
    assert first == manifest_for(wheels, 7)
    assert first != replace(first, release=8)
