# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The ready dashboard shows metrics that exist, by labels and values that they have, and all of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.finding import Decision
from appliance.domain.quality import Verdict
from appliance.monitor.counting import STAGES
from appliance.monitor.metric_table import METRICS, ROWS

FILE = Path(__file__).resolve().parents[2] / "packaging" / "monitoring" / "scanside-dashboard.json"
SCRAPED = frozenset({"instance", "job", "le"})
"""Labels that Prometheus adds."""
VALUES = {
    "outcome": {"in_time", "late", "unknown", "without_check"},
    "verdict": {verdict.value for verdict in Verdict},
    "decision": {decision.value for decision in Decision},
    "stage": set(STAGES),
}
GRID_COLUMNS = 24


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def metric_of(name: str) -> str | None:
    """The family of a name in a query: a histogram's parts belong to it."""
    if name in ROWS:
        return name
    family = re.sub(r"_(bucket|sum|count)$", "", name)
    return family if family in ROWS and ROWS[family].kind == "histogram" else None


def faults_of(expr: str, legend: str) -> list[str]:
    """What a query asks for that no appliance tells."""
    faults = []
    labels = set(SCRAPED)
    for name in re.findall(r"\bscanside_\w+", expr):
        family = metric_of(name)
        if family is None:
            faults.append(f"no metric {name}")
            continue
        labels |= set(ROWS[family].labels)
    grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expr) for label in group.split(",")}
    selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"", expr)
    shown = set(re.findall(r"\{\{(\w+)\}\}", legend))
    faults += [
        f"no label {label}" for label in sorted((grouped | shown | {name for name, _ in selected}) - labels)
    ]
    faults += [f"no legend {label}" for label in sorted(shown - grouped) if grouped]
    for label, values in selected:
        faults += [
            f"{label} is never {value}"
            for value in values.split("|")
            if value not in VALUES.get(label, {value})
        ]
    return faults


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def test_every_query_asks_for_what_there_is(dashboard: dict[str, Any]) -> None:
    queries = [
        (target["expr"], target["legendFormat"]) for panel in panels(dashboard) for target in panel["targets"]
    ]
    assert len(queries) > 30
    assert [(expr, fault) for expr, legend in queries for fault in faults_of(expr, legend)] == []


def test_every_metric_is_shown(dashboard: dict[str, Any]) -> None:
    text = json.dumps(dashboard)
    shown = {metric_of(name) for name in re.findall(r"\bscanside_\w+", text)}
    assert {row.name for row in METRICS} - shown == set()


def test_panels_stand_apart_and_have_ids_of_their_own(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert all(x < GRID_COLUMNS for x, _ in cells)
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_data_source_is_the_readers_own(dashboard: dict[str, Any]) -> None:
    sources = {target["datasource"]["uid"] for panel in panels(dashboard) for target in panel["targets"]}
    assert sources == {"${datasource}"}
    assert [one["name"] for one in dashboard["templating"]["list"]] == ["datasource", "instance"]


@pytest.mark.parametrize(
    ("expr", "legend", "fault"),
    [
        ("scanside_jobz", "", "no metric scanside_jobz"),
        ("scanside_jobs_bucket", "", "no metric scanside_jobs_bucket"),
        ("sum by (lanes) (scanside_jobs)", "", "no label lanes"),
        ("scanside_jobs", "{{zone}}", "no label zone"),
        ('scanside_checks_total{verdict="BAD"}', "", "verdict is never BAD"),
        ("sum by (lane) (scanside_jobs)", "{{state}}", "no legend state"),
    ],
)
def test_a_wrong_query_is_seen(expr: str, legend: str, fault: str) -> None:
    assert faults_of(expr, legend) == [fault]
