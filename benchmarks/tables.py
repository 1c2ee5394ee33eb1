# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.tables RUN.json`: a run as the Markdown tables of docs/performance.md.

A test holds the document and the run that it tells of together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import typer

from appliance.domain.job import Lane
from benchmarks.denoising.show import denoising_tables
from benchmarks.engine_matrix.show import engine_tables
from benchmarks.hour_table import hour_table
from benchmarks.kiosk_table import kiosk_table
from benchmarks.pieces.report import piece_table, start_table, watch_table
from benchmarks.report import SERIES
from benchmarks.soak_part import soak_table
from benchmarks.stage_tables import stage_tables
from benchmarks.table import Table, table

RESULTS: Final = Path(__file__).parent / "results"
"""Runs that documents tell of."""
LANES: Final = tuple(lane.value for lane in Lane)
SHOWN_MS: Final = 0.5
"""Shorter stages are left out."""
COMMON: Final = frozenset({"noticed", "landed", "complete", "claimed"})
"""Stages that every lane tells: each file lands once."""
END: Final = "<!-- end of run -->"
"""Last line of a block; the first is `<!-- run: FILE.json -->`."""


def as_markdown(report: dict[str, Any]) -> str:
    """All tables of a run."""
    return "\n\n".join(table.markdown() for table in tables_of(report)) + "\n"


def tables_of(report: dict[str, Any]) -> list[Table]:
    """Those of everything that the run measured."""
    parts = [_machine(report)]
    if "kiosk" in report:
        return [*parts, kiosk_table(report["kiosk"])]
    if "delivery" in report:
        return [*parts, _delivery(report["delivery"])]
    latencies = report["latency_ms"]
    radiographs = {name: times for name, times in latencies.items() if name != SERIES}
    if radiographs:
        parts.append(_radiographs(report, radiographs))
    if SERIES in latencies:
        parts.append(_series(report))
    if latencies:
        parts += [_stages(latencies), *stage_tables(latencies)]
    if report["memory_mib"]["highest"] or report["idle"]:
        parts.append(_memory(report))
    if report["backlog"] is not None:
        parts.append(_backlog(report["backlog"]))
    return [*parts, *_added_later(report)]


def _added_later(report: dict[str, Any]) -> Iterator[Table]:
    """Parts that older runs do not know."""
    if report.get("engine_matrix"):
        yield from engine_tables(report["engine_matrix"])
    if report.get("denoising"):
        yield from denoising_tables(report["denoising"])
    for name, as_table in (
        ("pieces", piece_table),
        ("watching", watch_table),
        ("starting", start_table),
        ("peak_hour", hour_table),
        ("soak", soak_table),
    ):
        if report.get(name):
            yield as_table(report[name])


def _machine(report: dict[str, Any]) -> Table:
    machine = report["machine"]
    flags = ", ".join(machine["cpu_flags"]) or "unknown"
    versions = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    engines = ", ".join(f"{use['task']}: {use['engine']}" for use in report["engines"]) or "none"
    return table(
        ("Measured on", ""),
        (
            ("Processor", f"{machine['cpu'] or 'unknown'}, {machine['cores']} cores ({flags})"),
            ("Memory", f"{machine['memory_bytes'] / 2**30:.0f} GiB"),
            *_device(machine),
            ("Kernel, Python", f"{machine['kernel']}, {machine['python']}"),
            ("Libraries", versions),
            ("Engines", engines),
            ("Load, before and after", f"{machine['load_1min']} and {report['load_after_1min']}"),
        ),
    )


def _device(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What not every machine has, or tells."""
    gpu = machine.get("gpu")
    if gpu is not None:
        size = f"{gpu['memory_bytes'] / 2**30:.0f} GiB"
        words = (
            f"{gpu['name']}, compute capability {gpu['compute_capability']}, driver {gpu['driver']}, {size}"
        )
        yield "Graphics processor", words
    for what, name, unit in (
        ("Governor", "governor", ""),
        ("Power mode", "power_mode", ""),
        ("Temperature", "temperature_c", " degrees Celsius"),
    ):
        if machine.get(name) is not None:
            yield what, f"{machine[name]}{unit}"


def _radiographs(report: dict[str, Any], radiographs: dict[str, Any]) -> Table:
    rows = []
    for name, times in radiographs.items():
        variants = report["ratio_to_naive_variants"][name]
        rows.append(
            (
                name,
                _spread(times["quality"]),
                _spread(times.get("all_answers", times["triage"])),  # in older runs triage was the last
                _ms(times["naive_done"]["p50"]),
                f"**{report['ratio_to_naive'][name]:.1f}**",
                f"{variants['session_kept']:.1f}",
                f"{variants['without_measuring']:.1f}",
                f"{_ms(times['triage']['p50'])}, {variants['triage']:.1f}" if "triage" in variants else "",
            )
        )
    return table(
        (
            "Radiograph",
            "quality: p50 / p95 / p99 / max ms",
            "all answers: p50 / p95 / p99 / max ms",
            "naive, all answers: p50 ms",
            "times sooner",
            "session kept",
            "not measuring",
            "triage alone: p50 ms, times sooner",
        ),
        rows,
    )


def _stages(latencies: dict[str, Any]) -> Table:
    rows = [
        (
            name,
            *(_lane_stages(times["stages"], lane) for lane in LANES),
            _listed((stage, spread["p50"]) for stage, spread in times["naive_stages"].items()),
        )
        for name, times in latencies.items()
    ]
    return table(("Stages, p50 ms", *(f"{lane} lane" for lane in LANES), "naive"), rows)


def _lane_stages(stages: dict[str, Any], lane: str) -> str:
    """Those of one lane; what is common to all stands with the first."""
    found = []
    for stage, spread in stages.items():
        of_lane, _, name = stage.partition(".")
        if of_lane == lane and (name not in COMMON or lane == LANES[0]):
            found.append((name, spread["p50"]))
    return _listed(found)


def _listed(stages: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {duration_ms:.0f}" for name, duration_ms in stages if duration_ms >= SHOWN_MS)


def _series(report: dict[str, Any]) -> Table:
    times = report["latency_ms"][SERIES]
    variants = report["ratio_to_naive_variants"][SERIES]
    return table(
        (
            f"CT, {times['slices']} slices",
            "appliance: p50 / p95 / p99 / max ms",
            "naive: p50 ms",
            "times sooner",
            "not measuring",
        ),
        (
            ("quality", _spread(times["quality"]), _ms(times["naive_quality"]["p50"]), "", ""),
            (
                "first denoised slice",
                _spread(times["first_slice"]),
                _ms(times["naive_first_slice"]["p50"]),
                f"**{report['ratio_to_naive'][SERIES]:.1f}**",
                f"{variants['first_slice_without_measuring']:.1f}",
            ),
            (
                "all denoised",
                _spread(times["denoised"]),
                _ms(times["naive_done"]["p50"]),
                f"{variants['all_slices']:.1f}",
                f"{variants['all_slices_without_measuring']:.1f}",
            ),
        ),
    )


def _memory(report: dict[str, Any]) -> Table:
    idle = (report["idle"] or {}).get("cpu_percent", {})
    highest = report["memory_mib"]["highest"]
    rows = [
        (role, f"{highest[role]:.0f}" if role in highest else "", f"{idle[role]:.2f}" if role in idle else "")
        for role in dict.fromkeys((*highest, *idle))
    ]
    return table(("Process", "highest resident memory, MiB", "idle, % of one core"), rows)


def _backlog(backlog: dict[str, Any]) -> Table:
    fates = f"{backlog['answered']} / {backlog['failed']} / {backlog['lost']}"
    memory = ", ".join(f"{role} {size_mib:.0f}" for role, size_mib in backlog["memory"].items())
    return table(
        (f"{backlog['files']:,} files at start", ""),
        (
            ("answered / failed lanes / lost", fates),
            ("files per second", f"{backlog['files_per_second']:.1f}"),
            ("place of the urgent among triage answers, 0 first, 1 last", f"{backlog['urgent_rank']:.4f}"),
            ("longest from first sight to an urgent verdict, s", f"{backlog['urgent_after_seen_s']:.1f}"),
            ("highest resident memory, MiB", memory),
        ),
    )


def _delivery(delivery: dict[str, Any]) -> Table:
    seconds = delivery["result_to_archive_s"]
    return table(
        ("To an Orthanc on the same machine", ""),
        (
            ("objects sent, each of 512 x 512 pixels", f"{delivery['objects']:,}"),
            ("objects a minute", f"{delivery['objects_per_min']:,.0f}"),
            ("exams whose results were followed", f"{seconds['n']}"),
            ("objects of one exam: original, reports, captures", f"{delivery['objects_of_an_exam']}"),
            (
                "from the commit of the last result to all of them in Orthanc: p50 / max s",
                f"{seconds['p50']:.2f} / {seconds['max']:.2f}",
            ),
        ),
    )


def _spread(times: dict[str, float]) -> str:
    return " / ".join(f"{times[key]:,.0f}" for key in ("p50", "p95", "p99", "max"))


def _ms(value: float) -> str:
    return f"{value:,.0f}"


def put_into(document: str, *, name: str, tables: str) -> str:
    """The document with the block of the run `name` filled anew. Raises ValueError where it has none."""
    begin, end = f"<!-- run: {name} -->\n", END
    if begin not in document:
        raise ValueError(f"The document has no line {begin.strip()!r}.")
    before, after = document.split(begin, maxsplit=1)
    return before + begin + "\n" + tables + "\n" + end + after.split(end, maxsplit=1)[1]


def main(run: Path, *, into: Path | None = None) -> None:
    """Print the tables, or fill the run's block in a document."""
    tables = as_markdown(json.loads(run.read_text(encoding="utf-8")))
    if into is None:
        typer.echo(tables, nl=False)
        return
    document = into.read_text(encoding="utf-8")
    into.write_text(put_into(document, name=run.name, tables=tables), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
