# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Daily work costs the same when the store holds ten files and when it holds a hundred thousand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from appliance.domain.acquisition import Acquisition
from appliance.domain.commitment import CommitmentReport
from appliance.domain.finding import Code, Decision, Finding
from appliance.domain.result import LaneResult
from appliance.store.board import Board
from appliance.store.commitments import Commitments
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.landing import Landings
from appliance.store.outbox import Outbox
from appliance.store.peers import Peers
from appliance.store.results import Results

FLAGGED = Finding(
    task="chest_triage",
    code=Code(value="36118008", scheme="SCT", meaning="Pneumothorax"),
    probability=0.9,
    sensitive_threshold=0.3,
    specific_threshold=0.7,
    decision=Decision.PRESENT,
)
READS_ALL = re.compile(
    r"^SCAN (file|acquisition|job|result|outbox)\b|autoindex_outbox_1 \(step=\?\)|\(\w+[<>]\?\)$"
)
"""Steps over tables that hold a row, or some, for every file that ever came."""
OF_WHAT_WAITS = (
    "job_queue",
    "job_leased",
    "acquisition_receiving",
    "outbox_to_render",
    "outbox_to_send",
    "outbox_tried",
)
"""Partial indexes: however much has come, they hold what still has to be done."""


def scans(database: Database, sql: str, bindings: tuple[Any, ...]) -> list[str]:
    """What SQLite would read whole of a growing table: all of it, or an index by no value of its own."""
    plan = database._connection.execute(f"EXPLAIN QUERY PLAN {sql}", bindings).fetchall()
    steps = [str(row[3]) for row in plan]
    return [
        step
        for step in steps
        if not any(f" {name}" in step for name in OF_WHAT_WAITS) and READS_ALL.search(step)
    ]


def day_of_work(database: Database, land: Callable[..., Acquisition]) -> None:
    landings, jobs, outbox = Landings(database), Jobs(database, max_attempts=3), Outbox(database)
    landed = land("a")
    first = landed.first
    landings.find(first.sha256)
    landings.concerning(
        series_instance_uid=first.series_instance_uid, sop_instance_uid=first.sop_instance_uid
    )
    landings.holding(first.sop_instance_uid)
    landings.siblings("a")
    landings.receiving()
    jobs.take_back()
    while job := jobs.lease(worker="w", lease_s=60.0):
        landings.acquisition(job.acquisition_id)
        landings.arrival_timings(job.acquisition_id, leased_ns=0)
        jobs.renew(job, lease_s=60.0)
        Results(database).commit(
            job,
            LaneResult(
                acquisition_id=job.acquisition_id, version=job.version, lane=job.lane, findings=(FLAGGED,)
            ),
        )
    render = outbox.next_render()
    assert render is not None
    outbox.rendered(render, deliveries=((database.data / "sr.dcm", "pacs"),))
    send = outbox.next_send("pacs")
    assert send is not None
    outbox.stored(send)
    commitments = Commitments(database)
    commitments.begin("2.25.1", tuple((file, "1.2") for file in commitments.unasked("pacs", limit=9)))
    commitments.transactions("pacs")
    commitments.report(CommitmentReport(transaction_uid="2.25.1", kept=frozenset({"1.2"})))
    assert not commitments.is_open("2.25.1")
    Peers(database).of("pacs")
    board = Board(database)
    board.entries(limit=20)
    board.entry("a")
    board.sources("a")


def test_no_daily_statement_reads_a_table_that_grows(
    database: Database, land: Callable[..., Acquisition]
) -> None:
    seen: dict[str, tuple[Any, ...]] = {}

    def note(_: object, sql: str, bindings: tuple[Any, ...] | None) -> bool:
        seen.setdefault(sql, bindings or ())
        return True

    database._connection.exec_trace = note
    day_of_work(database, land)
    database._connection.exec_trace = None
    asked = {
        sql: bindings
        for sql, bindings in seen.items()
        if sql.lstrip().startswith(("SELECT", "UPDATE", "INSERT", "DELETE"))
    }
    assert len(asked) > 20
    assert {sql: found for sql, values in asked.items() if (found := scans(database, sql, values))} == {}


def test_the_guard_sees_a_scan(database: Database) -> None:
    assert scans(database, "SELECT 1 FROM file WHERE source = ?", ("x",))
    assert scans(database, "SELECT 1 FROM outbox WHERE step = 'send' AND lane = ?", ("x",))
    assert scans(
        database, "SELECT 1 FROM file WHERE json_extract(instance, '$.x') = 1 AND acquisition_id > ?", ("",)
    )
    assert not scans(database, "SELECT 1 FROM file WHERE sha256 = ?", ("x",))
