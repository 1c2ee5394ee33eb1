# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A device with three exams, a decision, an installed choice and settings; making and restoring backups."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.backup.manifest import BackupManifest
from appliance.backup.restoring import Restored, restore
from appliance.backup.writing import BackupWish, make_backup
from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.processes.rebuild import rebuild
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions

EXAMS = 3
Make = Callable[..., tuple[Path, BackupManifest]]
PutBack = Callable[..., Restored]


def nothing_to_see(done_bytes: int) -> None:
    """Nobody watches."""


def decide(layout: Layout, choice: Choice) -> None:
    with Database.open(layout.database, data=layout.data, clock=SystemClock()) as database:
        (first, *_) = Board(database).entries()
        Decisions(database).decide(first.acquisition_id, 1, choice, reason=None)


def decisions(layout: Layout) -> list[str]:
    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        return [row[0] for row in database.read("SELECT decision FROM decision ORDER BY rowid")]


@pytest.fixture(scope="session")
def _whole_device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = Layout(data=tmp_path_factory.mktemp("device") / "data")
    layout.create()
    for seed in range(EXAMS):
        file = layout.data.parent / f"{seed}.dcm"
        write_chest(file, identity=Identity(seed=seed), rows=120, columns=100)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        place = layout.spool / sha256[:2] / sha256
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, place)
    with Database.open(layout.database, data=layout.data, clock=SystemClock()):
        pass
    rebuild(Settings(), layout, SystemClock())
    shutil.rmtree(layout.database.parent / "aside-1")
    decide(layout, Choice.KEEP)
    (layout.models / "chest_triage").mkdir()
    (layout.models / "chest_triage" / "slots.json").write_text("{}", encoding="utf-8")
    (layout.releases / "releases.json").write_text("{}", encoding="utf-8")
    layout.settings.mkdir()
    (layout.settings / "last-good-1.toml").write_text("site_name = 'West'\n", encoding="utf-8")
    return layout.data


@pytest.fixture
def device(_whole_device: Path, tmp_path: Path) -> Layout:
    shutil.copytree(_whole_device, tmp_path / "data")
    return Layout(data=tmp_path / "data")


@pytest.fixture
def make(device: Layout, tmp_path: Path) -> Make:
    def make_one(**wish: Any) -> tuple[Path, BackupManifest]:
        return make_backup(
            tmp_path / "stick",
            BackupWish(**wish),
            settings=Settings(site_name="West"),
            layout=device,
            clock=SystemClock(),
            progress=nothing_to_see,
        )

    return make_one


@pytest.fixture
def put_back() -> PutBack:
    def put_one(
        folder: Path, layout: Layout, *, identities: tuple[Any, ...] = (), **options: Any
    ) -> Restored:
        return restore(
            folder,
            layout,
            SystemClock(),
            identities=list(identities),
            who="a test",
            progress=nothing_to_see,
            **options,
        )

    return put_one
