# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The order in which files leave: flagged exams first, originals before results, refused files behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Code, Decision, Finding
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.outbox import Outbox
from appliance.store.results import Results

LandOne = Callable[..., Acquisition]
PNEUMOTHORAX = Finding(
    task="chest_triage",
    code=Code(value="36118008", scheme="SCT", meaning="Pneumothorax"),
    probability=0.9,
    sensitive_threshold=0.3,
    specific_threshold=0.7,
    decision=Decision.PRESENT,
)


def answer(database: Database, flagged: dict[str, Finding]) -> None:
    """Commit what is queued; `flagged` is found in the acquisitions of that name."""
    jobs, results = Jobs(database, max_attempts=1), Results(database)
    while (job := jobs.lease(worker="w", lease_s=60)) is not None:
        found = (flagged[job.acquisition_id],) if job.acquisition_id in flagged else ()
        findings = found if job.lane is Lane.TRIAGE else ()
        result = LaneResult(
            acquisition_id=job.acquisition_id, version=job.version, lane=job.lane, findings=findings
        )
        assert results.commit(job, result)


def render_all(database: Database) -> list[tuple[str, Lane]]:
    """Every result becomes one file; in which order."""
    outbox, order = Outbox(database), []
    while (render := outbox.next_render()) is not None:
        order.append((render.acquisition_id, render.lane))
        name = f"{render.acquisition_id}-{render.lane.value}.dcm"
        outbox.rendered(render, deliveries=((database.data / "results" / name, "pacs"),))
    return order


def leaving(database: Database) -> list[str]:
    outbox, names = Outbox(database), []
    while (send := outbox.next_send("pacs")) is not None:
        names.append(_name(database, send.path))
        outbox.sent(send)
    return names


def _name(database: Database, path: Path) -> str:
    rows = database.read(
        "SELECT acquisition_id FROM file WHERE path = ?", (str(path.relative_to(database.data)),)
    )
    return f"{rows[0][0]} original" if rows else path.stem


def test_originals_leave_in_order_and_before_results(database: Database, land: LandOne) -> None:
    for name in ("a", "b"):
        land(name, study_instance_uid=name)
    answer(database, {})
    render_all(database)
    land("c", study_instance_uid="c")
    order = leaving(database)
    assert order[:3] == ["a original", "b original", "c original"]
    assert all("original" not in name for name in order[3:])
    assert len(order) > 3


def test_a_flagged_exam_leaves_before_all_others_its_originals_first(
    database: Database, land: LandOne
) -> None:
    for name in ("a", "b", "c"):
        land(name, study_instance_uid=name)
    answer(database, {"b": PNEUMOTHORAX})
    assert render_all(database)[0][0] == "b"
    order = leaving(database)
    assert order[0] == "b original"
    lanes = [name for name in order if name.startswith("b-")]
    assert order[1 : 1 + len(lanes)] == lanes
    assert order[1 + len(lanes) : 3 + len(lanes)] == ["a original", "c original"]


def test_what_was_rendered_before_the_flag_goes_along(database: Database, land: LandOne) -> None:
    land("a", study_instance_uid="a")
    land("b", study_instance_uid="b")
    jobs, results = Jobs(database, max_attempts=1), Results(database)
    quality = [jobs.lease(worker="w", lease_s=60) for _ in range(2)]
    for job in quality:
        assert job is not None
        assert job.lane is Lane.QUALITY
        results.commit(job, LaneResult(acquisition_id=job.acquisition_id, version=1, lane=job.lane))
    render_all(database)
    answer(database, {"b": PNEUMOTHORAX})
    order = leaving(database)
    assert order[:2] == ["b original", "b-quality"]
    assert order[2] == "a original"


def test_a_later_view_of_a_flagged_exam_goes_first_too(database: Database, land: LandOne) -> None:
    land("a", study_instance_uid="a")
    land("b", study_instance_uid="b")
    answer(database, {"b": PNEUMOTHORAX})
    land("d", study_instance_uid="b")
    order = leaving(database)
    assert order == ["b original", "d original", "a original"]


def test_an_answer_that_flags_nothing_changes_no_order(database: Database, land: LandOne) -> None:
    land("a", study_instance_uid="a")
    land("b", study_instance_uid="b")
    answer(database, {"b": replace(PNEUMOTHORAX, decision=Decision.ABSENT, probability=0.1)})
    assert leaving(database) == ["a original", "b original"]


def test_between_the_operating_points_is_flagged(database: Database, land: LandOne) -> None:
    land("a", study_instance_uid="a")
    land("b", study_instance_uid="b")
    answer(database, {"b": replace(PNEUMOTHORAX, decision=Decision.INDETERMINATE, probability=0.5)})
    assert leaving(database) == ["b original", "a original"]


def test_a_refused_file_of_a_flagged_exam_goes_behind_what_was_not_refused(
    database: Database, land: LandOne
) -> None:
    land("a", study_instance_uid="a")
    land("b", study_instance_uid="b")
    answer(database, {"b": PNEUMOTHORAX})
    outbox = Outbox(database)
    refused = outbox.next_send("pacs")
    assert refused is not None
    outbox.not_sent(refused, reason="not this one", steps_aside=True)
    assert leaving(database) == ["a original", "b original"]
