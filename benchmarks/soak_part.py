# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The soak as a part of a run: some minutes, or as long as one asks for; interrupted, it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from benchmarks.plan import Workshop
from benchmarks.soak import MIB, S_PER_H, Slope, Soak, slopes_of
from benchmarks.table import Table, table

ARRIVAL_S: Final = 8.0
"""From one study to the next, as in the soak of its own."""
LEAST_SAMPLE_S: Final = 2.0
SAMPLES: Final = 4000
"""About so many, however long it takes."""
SHOWN: Final = 300
"""Points of the picture."""
MINUTES_PER_H: Final = 60.0
RSS: Final = "rss_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakReport:
    """Images all the time, and what grew meanwhile."""

    minutes: float
    given: int
    answered: int
    restarts: int
    """How often a process had to be started again."""
    failed: int
    failures: tuple[str, ...]
    """A sentence for everything that surely grew by more than it may, or did not come through."""
    slopes: dict[str, Slope]
    """By process and quantity, of the last sitting; bytes, or a count."""
    at_minute: tuple[float, ...]
    resident_mib: dict[str, tuple[float | None, ...]]
    """By process, at those minutes; None: it was not there."""


def measure_soak(workshop: Workshop) -> SoakReport:
    """`plan.soak_s` in all. Raises MeasuringError when the appliance does not start."""
    soak_s = workshop.plan.soak_s
    soak = Soak(workshop.folder, workshop.kept / "soak.json", workshop.clock)

    def told(hours: float) -> None:
        workshop.say(f"soak: minute {hours * MINUTES_PER_H:.0f} of {soak_s / MINUTES_PER_H:.0f}")

    found = soak.sit(
        soak_s / S_PER_H,
        arrival_s=ARRIVAL_S,
        sample_s=max(LEAST_SAMPLE_S, soak_s / SAMPLES),
        told=told,
    )
    shown = found["samples"][:: max(1, len(found["samples"]) // SHOWN)]
    processes = dict.fromkeys(
        role for sample in shown for role, seen in sample["seen"].items() if RSS in seen
    )
    return SoakReport(
        minutes=round(found["hours"] * MINUTES_PER_H, 2),
        given=found["given"],
        answered=found["answered"],
        restarts=found["restarts"],
        failed=len(found["failures"]),
        failures=tuple(found["failures"]),
        slopes={slope.what: slope for _, slope in slopes_of(found["samples"])},
        at_minute=tuple(round(sample["total_hour"] * MINUTES_PER_H, 3) for sample in shown),
        resident_mib={role: tuple(_mib(sample["seen"], role) for sample in shown) for role in processes},
    )


def _mib(seen: dict[str, dict[str, float]], role: str) -> float | None:
    return round(seen[role][RSS] / MIB, 1) if role in seen else None


def soak_table(report: dict[str, Any]) -> Table:
    """What came through, and every slope."""
    rows = [("studies given / answered", "", f"{report['given']} / {report['answered']}", "")]
    rows += [("processes started again", "", str(report["restarts"]), "")]
    rows += [
        (what, *_row(slope, is_bytes=what.endswith("_bytes"))) for what, slope in report["slopes"].items()
    ]
    rows += [(f"**{words}**", "", "", "") for words in report["failures"]]
    return table(
        (f"Soak of {report['minutes']:.0f} minutes", "median", "slope, an hour", "95 % interval"), rows
    )


def _row(slope: dict[str, float], *, is_bytes: bool) -> tuple[str, str, str]:
    scale, unit = (MIB, " MiB") if is_bytes else (1.0, "")
    return (
        f"{slope['median'] / scale:,.1f}{unit}",
        f"{slope['per_hour'] / scale:+,.1f}{unit}",
        f"{slope['low_per_hour'] / scale:+,.1f} to {slope['high_per_hour'] / scale:+,.1f}{unit}",
    )
