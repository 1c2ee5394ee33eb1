# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""docs/targets.md: what was measured on which machine, from the runs that are kept, beside published figures.

One row for each machine; a machine may have several runs, of different parts. What nobody measured is said
to be that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from appliance.durable import write_whole
from appliance.errors import InputError
from benchmarks.machine import first_difference
from benchmarks.report import SERIES
from benchmarks.signed import signer_of
from benchmarks.table import Table, table
from benchmarks.tables import RESULTS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PUBLISHED: Final = Path(__file__).parent / "published.toml"
TEMPLATE: Final = Path(__file__).parent / "targets.md.j2"
NOT_MEASURED: Final = "not measured"
DNCNN_IN_ORT: Final = "dncnn17 ort fp32"
COLUMNS: Final = (
    "Target",
    "Load",
    "DX raw, first verdict p50 / p95 ms",
    "DX raw, all answers p50 ms",
    "DX JPEG 2000, all answers p50 ms",
    "CT, first denoised slice p50 ms",
    "chest_triage ms (engine)",
    "ct_denoise ms a slice (engine)",
    "CT denoising: PSNR over the best tuned filter, simulated / real dB; times quicker than DnCNN-17",
    "Soak",
    "GEMM peak f32 / int8 GOP/s a core",
    "Runs",
)
Run = dict[str, Any]


def write_targets(out: Path, results: Path | None) -> None:
    """Write the page. Raises InputError for a file that is no run, or changed since it was signed."""
    write_whole(out, targets_page(RESULTS if results is None else results).encode("utf-8"))


def targets_page(results: Path) -> str:
    """The page. The same files give the same text."""
    import jinja2  # noqa: PLC0415  (--help stays quick)

    template = jinja2.Template(
        TEMPLATE.read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    rows = [_row(runs) for runs in _by_machine(_runs(results))]
    tables = {"measured": table(COLUMNS, rows), "published": published_table(PUBLISHED)}
    return str(template.render({name: found.markdown() for name, found in tables.items()}))


def as_row(report: Run) -> str:
    """A run as such a table of one row, for a message or a page of one's own."""
    return table(COLUMNS, [_row({"this run": report})]).markdown()


def _runs(folder: Path) -> dict[str, Run]:
    runs = {}
    for file in sorted(folder.glob("*.json")):
        try:
            run = json.loads(file.read_text(encoding="utf-8"))
            runs[file.name] = dict(run)
            _ = run["machine"]["cpu"], run["load_after_1min"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{file.name} is no run of the benchmark.",
                remedy=f"Take it out of {folder}, or put a .json there that `bench run` wrote.",
            ) from error
        signer_of(run, name=file.name)
    return runs


def _by_machine(runs: Mapping[str, Run]) -> Iterator[dict[str, Run]]:
    groups: list[dict[str, Run]] = []
    for name, run in runs.items():
        own = next(
            (
                group
                for group in groups
                if first_difference(next(iter(group.values()))["machine"], run["machine"]) is None
            ),
            None,
        )
        if own is None:
            groups.append({name: run})
        else:
            own[name] = run
    yield from groups


def _row(runs: Mapping[str, Run]) -> tuple[str, ...]:
    one = next(iter(runs.values()))
    loads = [run["machine"]["load_1min"] for run in runs.values()]
    loads += [run["load_after_1min"] for run in runs.values()]
    raw, j2k = _latency(runs, "dx_raw"), _latency(runs, "dx_j2k")
    series = _latency(runs, SERIES)
    peaks = _newest(runs, "engine_matrix")
    return (
        _machine(one["machine"]),
        f"{min(loads):.1f} to {max(loads):.1f}",
        NOT_MEASURED if raw is None else f"{raw['quality']['p50']:,.0f} / {raw['quality']['p95']:,.0f}",
        NOT_MEASURED if raw is None else f"{raw['triage']['p50']:,.0f}",
        NOT_MEASURED if j2k is None else f"{j2k['triage']['p50']:,.0f}",
        NOT_MEASURED if series is None else f"{series['first_slice']['p50']:,.0f}",
        _quickest(peaks, "chest_triage"),
        _quickest(peaks, "ct_denoise"),
        _denoising(_newest(runs, "denoising")),
        _soak(_newest(runs, "soak")),
        NOT_MEASURED if peaks is None else _peak(peaks),
        ", ".join(runs),
    )


def _machine(machine: dict[str, Any]) -> str:
    memory = f"{machine['memory_bytes'] / 2**30:.0f} GiB"
    gpu = (machine.get("gpu") or {}).get("name")
    parts = [machine["cpu"] or "processor unknown", f"{machine['cores']} cores", memory]
    parts += [word for word in (gpu or "no GPU", machine.get("power_mode")) if word]
    return ", ".join(parts)


def _newest(runs: Mapping[str, Run], section: str) -> Any:
    """Of the run that began last; None where no run has it."""
    found = [run for run in runs.values() if run.get(section)]
    return max(found, key=lambda run: str(run.get("began_at_utc", "")))[section] if found else None


def _latency(runs: Mapping[str, Run], kind: str) -> dict[str, Any] | None:
    found = [run for run in runs.values() if kind in run.get("latency_ms", {})]
    newest = max(found, key=lambda run: str(run.get("began_at_utc", "")), default=None)
    return None if newest is None else dict(newest["latency_ms"][kind])


def _quickest(matrix: dict[str, Any] | None, task: str) -> str:
    """The engine that answers one image soonest, among those that passed."""
    rows = [
        row for row in (matrix or {}).get("rows", ()) if row["task"] == task and row["p50_ms"] is not None
    ]
    single = [row for row in rows if row["streams"] == 1]
    if not single:
        return NOT_MEASURED
    best = min(single, key=lambda row: float(row["p50_ms"]))
    return f"{best['p50_ms']:.1f} ({best['words']}, {best['threads']} threads)"


def _denoising(denoising: dict[str, Any] | None) -> str:
    """Gains on the kinds of pairs that have one, and a ratio of times."""
    if denoising is None:
        return NOT_MEASURED
    gains = [
        f"{denoising['sets'][name]['gain_db']:+.2f}" if name in denoising["sets"] else NOT_MEASURED
        for name in ("added_noise", "real")
    ]
    return f"{' / '.join(gains)}; {denoising['times'][DNCNN_IN_ORT]['cpu_times_ours']:.0f}"


def _soak(soak: dict[str, Any] | None) -> str:
    if soak is None:
        return NOT_MEASURED
    words = "nothing grew" if not soak["failed"] else "; ".join(soak["failures"])
    return f"{soak['minutes']:.0f} minutes, {soak['answered']} of {soak['given']} answered: {words}"


def _peak(matrix: dict[str, Any]) -> str:
    one = next(peak for peak in matrix["peaks"] if peak["threads"] == 1)
    return f"{one['f32_gflops']:,.0f} / {one['int8_gops']:,.0f}"


def published_table(file: Path) -> Table:
    """Other people's figures."""
    figures = tomllib.loads(file.read_text(encoding="utf-8"))["figure"]
    names = {
        "resnet50_ms": "ResNet-50 ms",
        "retinanet_800_ms": "RetinaNet 800 x 800 ms",
        "unet3d_kits19_ms": "3D U-Net KiTS19 ms",
    }
    return table(
        ("Device (not ours)", "Source", *names.values()),
        [
            (
                figure["device"],
                figure["source"],
                *(f"{figure[name]:,g}" if name in figure else "-" for name in names),
            )
            for figure in figures
        ],
    )
