# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The metrics: what the page names is what is exposed, quickly, without a patient, without a store."""

from __future__ import annotations

import re
import time  # noqa: TID251  (what is measured here is real time)
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance.clock import ManualClock, SystemClock
from appliance.layout import Layout
from appliance.monitor.counting import count_on
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.metric_table import METRICS
from appliance.monitor.metrics import DeviceMetrics, as_text
from appliance.store.connection import Database
from appliance.store.tallies import Tallies

REPOSITORY = Path(__file__).parents[2]
MANY = 100_000
SCRAPE_LIMIT_S = 1.0
"""budgets.toml: metrics_scrape."""


def device(layout: Layout, clock: ManualClock | SystemClock, *, rest: bool = False) -> DeviceMetrics:
    return DeviceMetrics(
        layout=layout, clock=clock, processes=("worker",), version="1.2.3", counts_the_rest=rest
    )


def values(text: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode("utf-8"))
        for sample in family.samples
    }


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(data=tmp_path)
    made.create()
    return made


def fill(layout: Layout, clock: ManualClock, count: int) -> None:
    """That many exams whose quality lane is done, by SQL: what is measured is reading them."""
    record = (
        '{"acquisition_id":"' + "' || n || '" + '","version":1,"lane":"quality","quality":[{"criterion":'
        '"exposure","verdict":"OK","value":1.0,"unit":null,"limit":null,"advice":"","marks":[]}],'
        '"timings":[{"stage":"decoded","duration_ms":30.0}]}'
    )
    with (
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        database.transaction() as write,
    ):
        numbers = f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count})"
        write(
            f"{numbers} INSERT INTO acquisition"
            " SELECT n, n, 1, 'projection', 'COMPLETE', '', 1, '1', n, '[]', NULL FROM c"
        )
        write(
            f"{numbers} INSERT INTO file (sha256, path, size_bytes, door, source, urgency, landed_at_utc,"
            " boot_id, noticed_ns, landed_ns, status, acquisition_id, arrival)"
            " SELECT n, n, 1, 'folder', 'CANARY^JANE.dcm', 1, '2026-01-01T00:00:00+00:00', 'manual', 1, 2,"
            " 'accepted', n, 1 FROM c"
        )
        write(
            f"{numbers} INSERT INTO job (acquisition_id, version, lane, state, rank, boot_id, queued_ns)"
            " SELECT n, 1, 'quality', 'done', 0, 'manual', 1 FROM c"
        )
        write(
            f"{numbers} INSERT INTO result SELECT n, 1, 'quality', '{record}', '2026-01-01T00:00:01+00:00',"
            " 1000000001, 'manual' FROM c"
        )


def test_the_page_names_what_is_exposed(layout: Layout) -> None:
    fill(layout, ManualClock(), 3)
    page = (REPOSITORY / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(scanside_\w+)` \| (.+) \|$", page, re.MULTILINE))
    assert rows == {
        row.name: f"{row.kind} | {', '.join(f'`{label}`' for label in row.labels) or '-'} | {row.says}"
        for row in METRICS
    }
    exposed = {
        family.name
        for family in text_string_to_metric_families(as_text(device(layout, ManualClock())).decode())
    }
    machine = {"scanside_temperature_celsius", "scanside_temperature_limit_celsius", "scanside_too_hot",
               "scanside_battery_fraction"}  # fmt: skip
    assert exposed - machine == {row.name.removesuffix("_total") for row in METRICS} - machine


def test_counts_are_kept_once_and_the_rest_is_counted_in_memory(layout: Layout) -> None:
    clock = ManualClock()
    fill(layout, clock, 30)
    key = ("scanside_results_total", ("quality",))
    assert values(as_text(device(layout, clock, rest=True)))[key] == 30
    assert key not in values(as_text(device(layout, clock)))
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        tallies = Tallies(database)
        while count_on(tallies, at_once=7):
            pass
        assert count_on(tallies, at_once=7) == 0
    for rest in (True, False):
        found = values(as_text(device(layout, clock, rest=rest)))
        assert found[key] == 30
        assert found["scanside_stage_seconds_count", ("quality", "decoded")] == 30
        assert found["scanside_stage_seconds_sum", ("quality", "decoded")] == pytest.approx(0.9)
        assert found["scanside_deadlines_total", ("projection", "in_time")] == 30
        assert found["scanside_files_total", ("folder", "accepted")] == 30


def test_a_scrape_is_quick_with_many_exams_and_names_nobody(layout: Layout) -> None:
    clock = ManualClock()
    fill(layout, clock, MANY)
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        count_on(Tallies(database), at_once=1000)
    metrics = device(layout, clock)
    took_s = []
    for _ in range(3):
        started = time.perf_counter()
        text = as_text(metrics)
        took_s.append(time.perf_counter() - started)
    assert min(took_s) < SCRAPE_LIMIT_S
    assert b"CANARY" not in text
    assert len(text.splitlines()) < 400


def test_without_a_store_the_signs_of_life_are_still_told(layout: Layout) -> None:
    clock = ManualClock()
    Heartbeat(layout.run, "worker", clock).beat("waiting")
    Heartbeat(layout.run, "worker", clock).beat("waiting")
    clock.advance(7)
    found = values(as_text(device(layout, clock)))
    assert found["scanside_store_readable", ()] == 0
    assert found["scanside_heartbeat_age_seconds", ("worker",)] == 7
    assert found["scanside_process_starts_total", ("worker",)] == 2
    assert ("scanside_exams_receiving", ()) not in found


def test_alert_rules_use_metrics_that_exist() -> None:
    file = REPOSITORY / "packaging" / "monitoring" / "scanside-alerts.yml"
    rules = file.read_text(encoding="utf-8")
    (group,) = pytest.importorskip("yaml").safe_load(rules)["groups"]
    for rule in group["rules"]:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["expr"]
        assert rule["annotations"].keys() == {"summary", "action"}
    names = {row.name for row in METRICS}
    used = set(re.findall(r"scanside_\w+", rules))
    assert used
    assert used - names == set()
