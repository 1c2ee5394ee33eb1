# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A moved operating point on a real worker: in force at the next job, and not with another release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.finding import Finding
from appliance.domain.job import Lane
from appliance.layout import Layout
from appliance.models.bundle import read_bundle
from appliance.outputs.rendering import render_everything
from appliance.processes.operating_points import site_thresholds
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.connection import Database
from appliance.store.results import Results
from appliance.store.thresholds import Signatory, Thresholds
from tests.processes.test_worker import opened, settings_with, work_off
from tests.tiny_bundles import trusted
from tests.tiny_triage import build_triage

Land = Callable[..., Acquisition]
LEAD = Signatory(decided_by="A. Lead", role="lead", why="Too many flags.")
TO = 0.55


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders with one release of one model each."""
    folders = (tmp_path_factory.mktemp("two"), tmp_path_factory.mktemp("three"))
    for folder, release in zip(folders, (2, 3), strict=True):
        build_triage(folder / "bundle", release=release)
    return folders


def card_of(folder: Path) -> ModelCard:
    return read_bundle(folder / "bundle", trust=trusted()).card


def answered(
    seed: int, tmp_path: Path, layout: Layout, database: Database, land: Land, settings: Settings
) -> tuple[Acquisition, dict[str, Finding]]:
    """A new chest, answered by a worker of these settings: its findings by the name of the label."""
    file = tmp_path / f"{seed}.dcm"
    write_chest(file, identity=Identity(seed=seed), rows=400, columns=340)
    chest = land([file])
    with opened(layout, database, settings) as worker:
        work_off(worker, database)
    result = Results(database).of(chest.acquisition_id, 1, Lane.TRIAGE)
    assert result is not None
    return chest, {finding.code.meaning: finding for finding in result.findings}


def test_it_holds_from_the_next_job_on_and_the_result_says_so(
    tmp_path: Path, layout: Layout, database: Database, land: Land, releases: tuple[Path, Path]
) -> None:
    settings = settings_with(releases[0])
    _, before = answered(1, tmp_path, layout, database, land, settings)
    assert {finding.local_threshold for finding in before.values()} == {None}
    card = card_of(releases[0])
    Thresholds(database).move(card, card.labels[0], TO, by=LEAD, record={})
    chest, after = answered(2, tmp_path, layout, database, land, settings)
    moved = after["Bright"]
    assert moved.local_threshold is not None
    assert (moved.sensitive_threshold, moved.signed_threshold, moved.specific_threshold) == (TO, 0.4, 0.6)
    assert after["Dark"].local_threshold is None
    result = Results(database).of(chest.acquisition_id, 1, Lane.TRIAGE)
    assert result is not None
    words = b"sensitive threshold changed at this site, signed 0.4"
    assert any(words in rendered.content for rendered in render_everything(chest, result))


def test_another_release_goes_back_to_the_signed_threshold_and_says_so(
    tmp_path: Path,
    layout: Layout,
    database: Database,
    land: Land,
    releases: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = card_of(releases[0])
    Thresholds(database).move(card, card.labels[0], TO, by=LEAD, record={})
    _, after = answered(3, tmp_path, layout, database, land, settings_with(releases[1]))
    assert after["Bright"].local_threshold is None
    assert after["Bright"].sensitive_threshold == 0.4
    assert Thresholds(database).every()[-1].role == "appliance"
    assert "local threshold taken back" in capsys.readouterr().out


def test_a_look_without_a_service_takes_what_holds_on_the_device(
    layout: Layout, database: Database, releases: tuple[Path, Path], tmp_path: Path
) -> None:
    card = card_of(releases[0])
    Thresholds(database).move(card, card.labels[0], TO, by=LEAD, record={})
    with site_thresholds(layout, SystemClock()) as of:
        assert [local.in_force for local in of(card).values()] == [TO]
    for nobody in (None, Layout(data=tmp_path / "empty")):
        with site_thresholds(nobody, SystemClock()) as of:
            assert of(card) == {}
