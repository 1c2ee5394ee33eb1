# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.soak --hours 72`: does anything grow that should not, while images come all the time?

Every process is looked at again and again: resident memory, open handles, threads; and the folders on the
disk. The slope of each is Theil and Sen's (the median of all pairs, so a single peak tilts nothing) with its
95 % interval. It leaks when even the low end of the interval, over the whole run, is above what is allowed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import psutil
import typer
from rich.console import Console
from rich.progress import Progress

from appliance.clock import NS_PER_S, Clock, SystemClock
from appliance.durable import write_durably
from appliance.layout import Layout
from benchmarks.appliance_run import Appliance, running_appliance
from benchmarks.faults.kill_feed import Feed
from benchmarks.machine import plain_machine
from benchmarks.memory import roles

MIB: Final = 1024 * 1024
S_PER_H: Final = 3600.0
ALLOWED: Final = {"rss_bytes": 20.0 * MIB, "handles": 8.0, "threads": 3.0}
"""Growth over the whole run that is no leak: caches that fill, a pool that opens its last thread."""
SETTLING_SHARE: Final = 0.25
"""Of each sitting's samples, left out: models are loaded, caches fill."""
SAMPLES_AT_MOST: Final = 2000
"""For a slope; Theil and Sen's looks at every pair."""
LEAST_SAMPLES: Final = 8
SETTINGS: Final = {"SCANSIDE__INTAKE__DELETE_AFTER_LANDING": "true", "SCANSIDE__INTAKE__SERIES_QUIET_S": "5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """How something changes with time."""

    what: str
    per_hour: float
    low_per_hour: float
    high_per_hour: float
    median: float
    samples: int

    def leaks(self, quantity: str, hours: float) -> bool:
        """Surely above what is allowed."""
        return quantity in ALLOWED and self.low_per_hour * hours > ALLOWED[quantity]


def slope_of(what: str, hours: list[float], values: list[float]) -> Slope:
    """Theil and Sen's slope with its 95 % interval."""
    from scipy.stats import theilslopes  # noqa: PLC0415  (--help stays quick)

    step = max(1, len(hours) // SAMPLES_AT_MOST)
    found = theilslopes(values[::step], hours[::step], alpha=0.95)
    return Slope(
        what=what,
        per_hour=float(found.slope),
        low_per_hour=float(found.low_slope),
        high_per_hour=float(found.high_slope),
        median=sorted(values)[len(values) // 2],
        samples=len(values),
    )


def look(pid: int, layout: Layout) -> dict[str, dict[str, float]]:
    """One sample: by process (jails of one process are added up), and the disk."""
    found: dict[str, dict[str, float]] = {}
    for number, role in roles(psutil.Process(pid)).items():
        try:
            process = psutil.Process(number)
            with process.oneshot():
                seen = {
                    "rss_bytes": float(process.memory_info().rss),
                    "handles": float(process.num_fds()),
                    "threads": float(process.num_threads()),
                }
        except psutil.Error:
            continue  # it ended while being looked at
        kept = found.setdefault(role, dict.fromkeys(seen, 0.0))
        for quantity, value in seen.items():
            kept[quantity] += value
    found["disk"] = {
        "database_bytes": float(_size(layout.database.parent)),
        "originals_bytes": float(_size(layout.spool)),
        "results_bytes": float(_size(layout.results)),
        "views_bytes": float(_size(layout.views)),
        "run_bytes": float(_size(layout.run)),
    }
    return found


def _size(folder: Path) -> int:
    sizes = 0
    for path in folder.rglob("*"):
        try:
            sizes += path.stat().st_size if path.is_file() else 0
        except OSError:  # it was renamed while being looked at
            continue
    return sizes


def slopes_of(samples: list[dict[str, Any]]) -> Iterator[tuple[str, Slope]]:
    """Quantity and slope of everything that was seen often enough, of the last sitting."""
    sitting = samples[-1]["sitting"] if samples else 0
    own = [sample for sample in samples if sample["sitting"] == sitting]
    own = own[int(len(own) * SETTLING_SHARE) :]
    series: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for sample in own:
        for role, seen in sample["seen"].items():
            for quantity, value in seen.items():
                hours, values = series.setdefault((role, quantity), ([], []))
                hours.append(sample["hour"])
                values.append(value)
    for (role, quantity), (hours, values) in series.items():
        if len(values) >= LEAST_SAMPLES:
            yield quantity, slope_of(f"{role} {quantity}", hours, values)


def summary(samples: list[dict[str, Any]], *, given: int, answered: int, restarts: int) -> dict[str, Any]:
    """The report: slopes, and a sentence for everything that grew or did not come through."""
    slopes = tuple(slopes_of(samples))
    hours = samples[-1]["hour"] - samples[0]["hour"] if samples else 0.0
    failures = [
        f"{slope.what} grows by {slope.low_per_hour:.3g} an hour at least"
        for quantity, slope in slopes
        if slope.leaks(quantity, hours)
    ]
    if answered < given:
        failures.append(f"{given - answered} of {given} studies have no answer")
    if restarts:
        failures.append(f"processes were started again {restarts} times")
    return {
        "machine": plain_machine(),
        "hours": samples[-1]["total_hour"] if samples else 0.0,
        "given": given,
        "answered": answered,
        "restarts": restarts,
        "slopes": {slope.what: asdict(slope) for _, slope in slopes},
        "failures": failures,
        "samples": samples,
    }


class Soak:
    """One sitting: from a start of the appliance to its end."""

    def __init__(self, folder: Path, report: Path, clock: Clock) -> None:
        self._clock = clock
        self._report = report
        self._folder = folder
        before: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
        self.samples: list[dict[str, Any]] = before.get("samples", [])
        self._given, self._answered = before.get("given", 0), before.get("answered", 0)
        self._restarts = before.get("restarts", 0)
        self.done_hours = float(before.get("hours", 0.0))
        self._sitting = self.samples[-1]["sitting"] + 1 if self.samples else 1

    def sit(
        self, hours: float, *, arrival_s: float, sample_s: float, told: Callable[[float], None]
    ) -> dict[str, Any]:
        """Until `hours` in total are over; `told` hears of those that are. Returns the report."""
        data = self._folder / f"sitting-{self._sitting}"
        with running_appliance(data, self._clock, kiosk=True, settings=SETTINGS) as appliance:
            appliance.wait_until_ready()
            feed = Feed(appliance.layout.inbox, seed=self._sitting)
            pids = _pids(appliance)
            start_ns = arrival_ns = sample_ns = self._clock.monotonic_ns()
            begun, kept_ns = self.done_hours, start_ns
            while self.done_hours < hours:
                now_ns = self._clock.monotonic_ns()
                hour = (now_ns - start_ns) / NS_PER_S / S_PER_H
                self.done_hours = begun + hour
                if now_ns >= arrival_ns:
                    arrival_ns += round(arrival_s * NS_PER_S)
                    feed.next()
                if now_ns >= sample_ns:
                    sample_ns += round(sample_s * NS_PER_S)
                    self.samples.append(self._sample(appliance, hour))
                    alive = _pids(appliance)
                    self._restarts += sum(pid != alive.get(role, pid) for role, pid in pids.items())
                    pids |= alive
                if now_ns - kept_ns > 60 * NS_PER_S:
                    kept_ns = now_ns
                    self._keep(self._given, self._answered)
                told(self.done_hours)
                self._clock.sleep(0.2)
            answered = self._wait(appliance, len(feed.given))
            given = len(feed.given)
        return self._keep(self._given + given, self._answered + answered)

    def _sample(self, appliance: Appliance, hour: float) -> dict[str, Any]:
        seen = look(appliance.pid, appliance.layout)
        return {"sitting": self._sitting, "hour": hour, "total_hour": self.done_hours, "seen": seen}

    def _wait(self, appliance: Appliance, given: int) -> int:
        """For the last ones. How many have been answered."""
        until_ns = self._clock.monotonic_ns() + 120 * NS_PER_S
        answered = -1
        while answered < given and self._clock.monotonic_ns() < until_ns:
            with appliance.store() as store:
                answered = int(
                    store.read(
                        "SELECT count(*) FROM acquisition a WHERE completeness != 'RECEIVING' AND NOT EXISTS"
                        " (SELECT 1 FROM job j WHERE j.acquisition_id = a.acquisition_id"
                        " AND j.version = a.version AND j.state != 'done')"
                    )[0][0]
                )
            self._clock.sleep(0.5)
        return answered

    def _keep(self, given: int, answered: int) -> dict[str, Any]:
        report = summary(self.samples, given=given, answered=answered, restarts=self._restarts)
        self._report.parent.mkdir(parents=True, exist_ok=True)
        write_durably(self._report, (json.dumps(report) + "\n").encode())
        return report


def _pids(appliance: Appliance) -> dict[str, int]:
    """Of the processes of the table; jails may come and go."""
    found = roles(psutil.Process(appliance.pid)).items()
    return {role: pid for pid, role in found if not role.startswith("jail")}


def main(
    *,
    hours: Annotated[float, typer.Option(min=0.001)] = 72.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Keep the report here; a run that was interrupted goes on.")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Work here. Default: a temporary folder.")] = None,
    arrival_s: Annotated[float, typer.Option(min=0.1, help="Seconds from one study to the next.")] = 8.0,
    sample_s: Annotated[float, typer.Option(min=0.2)] = 10.0,
) -> None:
    """Images for hours. Exit code 1: something grew, was not answered, or had to be started again."""
    with (
        tempfile.TemporaryDirectory(prefix="scanside-soak-") as temporary,
        Progress(console=Console(stderr=True)) as bar,
    ):
        soak = Soak(folder or Path(temporary), json_file or Path(temporary) / "soak.json", SystemClock())
        task = bar.add_task("soak", total=hours)
        report = soak.sit(
            hours,
            arrival_s=arrival_s,
            sample_s=sample_s,
            told=lambda done: bar.update(task, completed=done),
        )
    del report["samples"]
    typer.echo(json.dumps(report, indent=2, sort_keys=True))
    if report["failures"]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
