# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of latencies: what the benchmark measured, on which machine, stage by stage. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ui.language import tr
from ui.latency_files import LatencyFile
from ui.plain_text import visible

FORMAT: Final = 1
"""The benchmark's, as it is read here."""
_GIB: Final = 1024**3
_NUMBERS: Final = ("p50", "p95", "p99", "max")
_WHOLE: Final = ("quality", "triage", "first_slice", "denoised")
"""From the close of the last file to the answer; the stages below are parts of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """One stage, in milliseconds."""

    name: str
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    is_whole: bool
    """From the file to the answer, not one stage of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTarget:
    """One kind of image."""

    name: str
    rows: tuple[LatencyRow, ...]

    @property
    def most_ms(self) -> float:
        """The end of the scale of its bars."""
        return max(row.max_ms for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyReport:
    """One run of the benchmark."""

    machine: str
    where: str
    """On this device, or on another machine."""
    is_here: bool
    targets: tuple[LatencyTarget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyState:
    """The page."""

    reports: tuple[LatencyReport, ...]
    messages: tuple[str, ...]
    """What is not there, and how to get it."""


def being_read() -> LatencyState:
    """Until the files are there."""
    return LatencyState(reports=(), messages=(tr("Reading the measurements…"),))


def latency_state(files: tuple[LatencyFile, ...]) -> LatencyState:
    """The page for these files. What cannot be understood is said, never guessed."""
    reports, messages = [], []
    for file in files:
        if file.content is None or file.content.get("format") != FORMAT:
            messages.append(tr("{name} cannot be read.", name=visible(file.name)))
            continue
        targets = tuple(_targets(file.content.get("latency_ms")))
        if targets:  # a run of the backlog or of idling has none
            reports.append(
                LatencyReport(
                    machine=_machine(file.content.get("machine")),
                    where=_where(file, quick=file.content.get("quick") is True),
                    is_here=file.is_here,
                    targets=targets,
                )
            )
    if not any(report.is_here for report in reports):
        messages.append(tr("Nothing was measured on this device yet."))
    if not any(not report.is_here for report in reports):
        messages.append(tr("No measurements came with this software."))
    return LatencyState(reports=tuple(reports), messages=tuple(messages))


def _where(file: LatencyFile, *, quick: bool) -> str:
    parts = []
    if not file.is_here:
        parts += [tr("Measured on another machine"), tr("date not recorded")]
    else:
        date = file.written_at_utc
        shown = tr("date not known") if date is None else date.astimezone().strftime("%Y-%m-%d %H:%M")
        parts += [tr("Measured on this device"), shown]
    if quick:
        parts.append(tr("quick run"))
    return "  ·  ".join([*parts, visible(file.name)])


def _machine(machine: Any) -> str:
    if not isinstance(machine, Mapping):
        return tr("machine not recorded")
    cpu, cores, memory = (machine.get(key) for key in ("cpu", "cores", "memory_bytes"))
    parts = [visible(cpu) if isinstance(cpu, str) else tr("processor not known")]
    if isinstance(cores, int):
        parts.append(tr("{count} cores", count=cores))
    if isinstance(memory, int):
        parts.append(tr("{size} GiB memory", size=f"{memory / _GIB:.0f}"))
    return ", ".join(parts)


def _targets(latencies: Any) -> Iterator[LatencyTarget]:
    if not isinstance(latencies, Mapping):
        return
    for name, measured in latencies.items():
        if isinstance(measured, Mapping):
            rows = tuple(_rows(measured))
            if rows:
                yield LatencyTarget(name=visible(str(name)).replace("_", " "), rows=rows)


def _rows(measured: Mapping[str, Any]) -> Iterator[LatencyRow]:
    stages = measured.get("stages")
    stages = stages if isinstance(stages, Mapping) else {}
    for whole in _WHOLE:
        row = _row(_words(whole), measured.get(whole), is_whole=True)
        if row is not None:
            yield row
    for name, spread in stages.items():
        row = _row(_words(str(name)), spread, is_whole=False)
        if row is not None:
            yield row


def _words(name: str) -> str:
    """Lane and stage as the other screens call them: "quality.decoded" is "Check: decoded"."""
    lanes = {"quality": tr("Check"), "triage": tr("AI"), "denoise": tr("Denoise"), "denoised": tr("Denoised")}
    lane, dot, stage = name.partition(".")
    shown = lanes.get(lane, visible(lane).replace("_", " "))
    return f"{shown}: {visible(stage).replace('_', ' ')}" if dot else tr("{lane}, whole", lane=shown)


def _row(name: str, spread: Any, *, is_whole: bool) -> LatencyRow | None:
    """None unless all four numbers are there."""
    if not isinstance(spread, Mapping):
        return None
    values = [spread.get(number) for number in _NUMBERS]
    if not all(isinstance(value, int | float) and 0 <= value < float("inf") for value in values):
        return None
    p50, p95, p99, most = (float(value) for value in values if value is not None)
    return LatencyRow(name=name, p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=most, is_whole=is_whole)
