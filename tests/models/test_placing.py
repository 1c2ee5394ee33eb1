# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Activated, rolled back, replaced while it works: what answers, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.errors import EngineError
from appliance.models.registry import Registry
from appliance.models.releases import Releases
from appliance.models.served import Served
from appliance.models.slots import SlotFolder, key_of
from appliance.models.surroundings import Surroundings
from tests.tiny_bundles import read_signed, trusted
from tests.tiny_triage import build_triage

MakeBundle = Callable[..., Path]
TASK = "ct_denoise"


class Device:
    """A folder of bundles with release 1 in it, slots, and a record of what got into service."""

    def __init__(self, make_bundle: MakeBundle, root: Path, cache: Path) -> None:
        self._make = make_bundle
        self._root = root
        self._cache = cache
        self.slots = SlotFolder(root / "data" / "models", trust=trusted())
        self.releases = Releases(root / "releases")
        self.in_service: list[str] = []
        make_bundle(root / "folder" / "first", release=1)

    def install(self, release: int, **odd: object) -> str:
        bundle = read_signed(self._make(self._root / f"made{release}", release=release, **odd))
        self.slots.install(bundle)
        return key_of(bundle)

    @contextmanager
    def registry(self, *, mends: bool = True, engine: str = "ort") -> Iterator[Registry]:
        def note(served: Served) -> None:
            self.in_service.append(served.card.version)

        with Registry(
            (self._root / "folder",),
            engines=(engine,),
            threads=1,
            cache=self._cache,
            trust=trusted(),
            releases=Releases(self._root / "releases", read_only=not mends),
            surroundings=Surroundings(slots=self.slots, mends_slots=mends, at_change=note),
        ) as opened:
            yield opened


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("passports")


@pytest.fixture
def device(make_bundle: MakeBundle, tmp_path: Path, cache: Path) -> Device:
    return Device(make_bundle, tmp_path, cache)


def version(registry: Registry) -> str:
    return registry.served(TASK).card.version


def test_what_is_activated_serves_before_the_folders(device: Device, tmp_path: Path) -> None:
    two = device.install(2)
    with device.registry() as registry:
        assert version(registry) == "1.1", "installed is not activated"
        registry.refresh()
        assert version(registry) == "1.1"
        device.slots.activate(TASK, two)
        before = registry.served(TASK)
        registry.refresh()
        assert version(registry) == "1.2"
        assert registry.served(TASK).fallback_reason is None
        with pytest.raises(EngineError, match="closed"):
            before.engine.infer({})
        device.releases.roll_back(read_signed(tmp_path / "folder" / "first").card)
        device.slots.roll_back(TASK, left_release=2)
        registry.refresh()
        assert version(registry) == "1.1"
        assert registry.problems == []
    assert device.in_service == ["1.1", "1.2", "1.1"]
    device.slots.activate(TASK, two)
    with device.registry() as registry:
        assert version(registry) == "1.2", "and from the start"


def test_a_look_at_unchanged_slots_changes_nothing(device: Device) -> None:
    device.slots.activate(TASK, device.install(2))
    with device.registry() as registry:
        served = registry.served(TASK)
        registry.refresh()
        device.slots.activate(TASK, device.slots.read(TASK).active)
        registry.refresh()
        assert registry.served(TASK) is served, "chosen again, it is the same"


def test_an_activated_release_that_cannot_serve_goes_back_by_itself_and_it_is_said(device: Device) -> None:
    good, bad = device.install(2), device.install(3, golden_factor=0.6)
    device.slots.activate(TASK, good)
    with device.registry() as registry:
        assert version(registry) == "1.2"
        device.slots.activate(TASK, bad)
        registry.refresh()
        served = registry.served(TASK)
        assert served.card.version == "1.2"
        assert "ct_denoise@1.3 cannot serve" in (served.fallback_reason or "")
        assert served.engine.describe().engine == "ort"
        assert any("ct_denoise@1.3 cannot serve" in problem.what for problem in registry.problems)
    chosen = device.slots.read(TASK)
    assert (chosen.active, chosen.may_roll_back, chosen.left_release) == (good, False, 3)
    assert "'denoised' is off by" in chosen.note


def test_a_release_that_is_damaged_goes_back_by_itself(device: Device) -> None:
    good, bad = device.install(2), device.install(3)
    device.slots.activate(TASK, good)
    device.slots.activate(TASK, bad)
    (device.slots.release(TASK, bad) / "model.onnx").write_bytes(b"the disk went bad")
    with device.registry() as registry:
        assert version(registry) == "1.2"
        assert "model.onnx" in (registry.served(TASK).fallback_reason or "")
    assert device.slots.read(TASK).active == good


def test_from_a_release_that_has_served_back_to_the_folders_and_again_at_the_next_start(
    device: Device,
) -> None:
    """The folder's release is lower than one that has served: going back to it is meant, not a downgrade."""
    two = device.install(2)
    device.slots.activate(TASK, two)
    with device.registry() as registry:
        assert version(registry) == "1.2"
    (device.slots.release(TASK, two) / "model.onnx").write_bytes(b"the disk went bad")
    for _ in range(2):
        with device.registry() as registry:
            assert version(registry) == "1.1"
    assert device.slots.read(TASK).active is None


def test_only_the_worker_writes_down_a_step_back(device: Device) -> None:
    bad = device.install(3, golden_factor=0.6)
    device.slots.activate(TASK, bad)
    with device.registry(mends=False) as registry:
        assert version(registry) == "1.1"
        assert "cannot serve" in (registry.served(TASK).fallback_reason or "")
    assert device.slots.read(TASK).active == bad


def test_where_nothing_else_can_serve_what_answered_answers_on(device: Device, tmp_path: Path) -> None:
    good, bad = device.install(2), device.install(3, golden_factor=0.6)
    device.slots.activate(TASK, good)
    with device.registry() as registry:
        served = registry.served(TASK)
        for release in (device.slots.release(TASK, good), tmp_path / "folder" / "first"):
            (release / "model.onnx").write_bytes(b"the disk went bad")
        device.slots.activate(TASK, bad)
        registry.refresh()
        assert registry.served(TASK).engine is served.engine
        assert "No engine can serve" in (registry.served(TASK).fallback_reason or "")


def test_an_engine_that_fails_at_work_is_no_reason_to_go_back(device: Device) -> None:
    device.slots.activate(TASK, device.install(2))
    with device.registry() as registry:
        assert version(registry) == "1.2"
        registry.give_up(TASK, "the device is gone")
        with pytest.raises(EngineError, match="ort: the device is gone"):
            registry.served(TASK)
    assert device.slots.read(TASK).note == ""


def test_a_choice_gives_a_task_that_nothing_served_another_try(device: Device) -> None:
    bad = device.install(3, golden_factor=0.6)
    device.slots.activate(TASK, bad)
    with device.registry(mends=False, engine="null") as registry:
        with pytest.raises(EngineError, match="No engine can serve"):
            registry.served(TASK)
        device.slots.activate(TASK, None)
        registry.refresh()
        with pytest.raises(EngineError, match=r"ct_denoise@1\.1"):
            registry.served(TASK)


def test_a_newer_release_in_a_folder_comes_first_unless_it_was_left(
    device: Device, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    two = device.install(2)
    device.slots.activate(TASK, two)
    make_bundle(tmp_path / "folder" / "update", release=4)
    with device.registry() as registry:
        assert registry.card(TASK).release == 4  # type: ignore[union-attr]  # it is there
        assert any("is active, and release 4" in problem.what for problem in registry.problems)
    five = device.install(5)
    device.slots.activate(TASK, five)
    device.slots.roll_back(TASK, left_release=5)
    with device.registry() as registry:
        assert registry.card(TASK).release == 2, "from 5 back to 2: 4 was not asked for"  # type: ignore[union-attr]
        assert not any("is active, and release" in problem.what for problem in registry.problems)


def test_a_key_that_holds_another_task_is_refused(device: Device, tmp_path: Path) -> None:
    stranger = read_signed(build_triage(tmp_path / "stranger", release=1))
    key = key_of(stranger)
    device.install(2)
    stranger.folder.replace(device.slots.release(TASK, key))
    device.slots.activate(TASK, key)
    with device.registry() as registry:
        assert version(registry) == "1.1"
        assert any("holds chest_triage@1.0" in problem.what for problem in registry.problems)


def test_a_shadow_is_loaded_beside_what_serves_and_never_instead(device: Device) -> None:
    two = device.install(2)
    with device.registry() as registry:
        assert registry.shadow(TASK) is None
        device.slots.set_shadow(TASK, two)
        registry.refresh()
        assert version(registry) == "1.1"
        there = registry.shadow(TASK)
        assert there is not None
        assert (there[0], there[1].card.version) == (two, "1.2")
        assert registry.shadow(TASK) == there
        device.slots.set_shadow(TASK, None)
        registry.refresh()
        assert registry.shadow(TASK) is None
        with pytest.raises(EngineError, match="closed"):
            there[1].engine.infer({})
    assert device.in_service == ["1.1"]


def test_a_shadow_that_cannot_run_is_taken_out_and_what_serves_stays(device: Device) -> None:
    bad, good = device.install(3, golden_factor=0.6), device.install(2)
    device.slots.set_shadow(TASK, bad)
    with device.registry() as registry:
        assert registry.shadow(TASK) is None
        assert version(registry) == "1.1"
        assert "'denoised' is off by" in device.slots.read(TASK).note
        device.slots.set_shadow(TASK, good)
        registry.refresh()
        assert registry.shadow(TASK) is not None
        registry.give_up_shadow(TASK, "it failed at work")
        assert registry.shadow(TASK) is None
        assert version(registry) == "1.1"
    assert device.slots.read(TASK).shadow is None
