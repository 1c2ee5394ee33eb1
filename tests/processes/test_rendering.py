# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Decisions and failures on their way out: a note of what was rejected, a page for what was not analysed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.processes.rendering import Renderer
from appliance.receivers import PeerSettings, SenderSettings
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.jobs import Jobs
from appliance.store.outbox import Outbox
from appliance.store.results import Results
from tests.report_parts import texts

Land = Callable[..., Acquisition]
PACS = PeerSettings(name="PACS", host="127.0.0.1", port=104, ae_title="PACS")


@pytest.fixture
def chest(land: Land, chest_file: Path) -> Acquisition:
    return land((chest_file,))


def work_off(layout: Layout, database: Database, *, notes: bool = True) -> None:
    settings = Settings(sender=SenderSettings(peers=(PACS,), rejection_notes=notes))
    renderer = Renderer(settings=settings, layout=layout, database=database)
    while renderer.step():
        pass


def written(layout: Layout) -> list[str]:
    return sorted(path.name for path in layout.results.rglob("*.dcm"))


def waiting(database: Database) -> list[str]:
    rows = database.read("SELECT path FROM outbox WHERE done = 0 AND step = 'send' ORDER BY outbox_id")
    return [Path(row[0]).name for row in rows]


def test_a_decision_to_repeat_becomes_a_note_for_the_archive(
    layout: Layout, database: Database, chest: Acquisition
) -> None:
    job = Jobs(database, max_attempts=3).lease(worker="test", lease_s=60)
    assert job is not None
    check = QualityCheck(
        criterion="motion", verdict=Verdict.REPEAT, value=None, unit=None, limit=None, advice="It moved."
    )
    result = LaneResult(
        acquisition_id=chest.acquisition_id, version=chest.version, lane=Lane.QUALITY, quality=(check,)
    )
    assert Results(database).commit(job, result)
    Decisions(database).decide(chest.acquisition_id, chest.version, Choice.REPEAT, reason="It moved.")
    work_off(layout, database)
    assert written(layout) == ["rejection-1.dcm", "report-quality.dcm", "summary-quality.dcm"]
    assert waiting(database)[-1] == "rejection-1.dcm"
    note = dcmread(layout.results_of(chest.acquisition_id, chest.version) / "rejection-1.dcm")
    assert note.ContentSequence[0].ConceptCodeSequence[0].CodeMeaning == "Motion blur"
    Decisions(database).decide(chest.acquisition_id, chest.version, Choice.WITHDRAWN, reason=None)
    assert "rejection-1.dcm" not in waiting(database)


def test_no_note_where_the_settings_want_none(layout: Layout, database: Database, chest: Acquisition) -> None:
    Decisions(database).decide(chest.acquisition_id, chest.version, Choice.REPEAT, reason="Positioning")
    work_off(layout, database, notes=False)
    assert written(layout) == []
    assert database.read("SELECT reason FROM outbox WHERE decision_id = 1") == [
        ("no rejection notes: sender.rejection_notes is off",)
    ]


def test_a_note_whose_original_is_gone_is_said_and_not_tried_for_ever(
    layout: Layout, database: Database, chest: Acquisition
) -> None:
    chest.first.path.unlink()
    Decisions(database).decide(chest.acquisition_id, chest.version, Choice.REPEAT, reason="Positioning")
    work_off(layout, database)
    assert written(layout) == []
    assert database.read("SELECT reason FROM outbox WHERE decision_id = 1") == [
        ("the rejection note could not be made: see the log",)
    ]


def test_a_lane_that_broke_is_told_and_its_result_later_on_too(
    layout: Layout, database: Database, chest: Acquisition
) -> None:
    jobs = Jobs(database, max_attempts=1)
    job = jobs.lease(worker="test", lease_s=60)
    assert job is not None
    assert job.lane is Lane.QUALITY
    assert jobs.fail(job, reason="The engine gave no answer.")
    work_off(layout, database)
    told = ["not-analysed-report-quality.dcm", "not-analysed-summary-quality.dcm"]
    assert written(layout) == told
    report = dcmread(layout.results_of(chest.acquisition_id, chest.version) / told[0])
    assert texts(report, "analysis") == ["Not analysed by this device"]
    assert texts(report, "Comment") == ["The engine gave no answer."]
    assert jobs.retry_failed() == 1
    again = jobs.lease(worker="test", lease_s=60)
    assert again is not None
    result = LaneResult(
        acquisition_id=chest.acquisition_id,
        version=chest.version,
        lane=Lane.QUALITY,
        quality=(
            QualityCheck(
                criterion="motion", verdict=Verdict.OK, value=None, unit=None, limit=None, advice="Fine."
            ),
        ),
    )
    assert Results(database).commit(again, result)
    work_off(layout, database)
    assert set(waiting(database)) == {*told, "report-quality.dcm", "summary-quality.dcm"}


def test_a_file_that_cannot_be_used_is_told_at_once(
    layout: Layout, database: Database, chest: Acquisition
) -> None:
    jobs = Jobs(database, max_attempts=3)
    job = jobs.lease(worker="test", lease_s=60)
    assert job is not None
    assert jobs.quarantine(job, reason="The picture data are damaged.")
    work_off(layout, database)
    assert "not-analysed-report-quality.dcm" in written(layout)


def test_a_job_that_is_tried_again_is_not_told(
    layout: Layout, database: Database, chest: Acquisition
) -> None:
    jobs = Jobs(database, max_attempts=3)
    job = jobs.lease(worker="test", lease_s=60)
    assert job is not None
    assert jobs.fail(job, reason="Once.")
    assert Outbox(database).next_render() is None
    for _ in range(2):
        job = jobs.lease(worker="test", lease_s=60)
        assert job is not None
        assert jobs.fail(job, reason="Again.")
    jobs.retry_failed()
    work_off(layout, database)
    assert written(layout) == [], "asked for once more before it was told"
    assert database.read("SELECT reason FROM outbox") == [("superseded: it is being analysed again",)]
    del chest
