# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside simulate`: what an order of the queue would do to waiting, before anybody waits in it."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.options import Config
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ConfigError, InputError
from appliance.layout import Layout

if TYPE_CHECKING:  # numpy and matplotlib are loaded when there is something to simulate
    from appliance.simulation.comparison import Comparison, Draw
    from appliance.simulation.readers import Readers
    from appliance.simulation.recorded import Recorded


class Invented(str, Enum):
    """The departments that are made up."""

    EMERGENCY = "emergency"
    PUBLISHED = "published"


def simulate(  # noqa: PLR0913  (each is an option of the command line)
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="Replay the exams of this data folder's store.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Replay the exams of this table (docs/fair-queue.md).")
    ] = None,
    invented: Annotated[
        Invented, typer.Option("--department", help="Without --data and --csv: invent the exams of this one.")
    ] = Invented.EMERGENCY,
    arrivals: Annotated[int, typer.Option("--arrivals", min=1, help="Invented exams in each run.")] = 10_000,
    runs: Annotated[int, typer.Option("--runs", min=1, max=1000, help="Runs; intervals are over them.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same numbers.")] = 1,
    ceiling_min: Annotated[
        list[float] | None,
        typer.Option("--ceiling-min", min=0, help="Minutes; again: more. Default: queue.ceiling_min."),
    ] = None,
    readers: Annotated[int | None, typer.Option("--readers", min=0, help="How many read by day.")] = None,
    night_readers: Annotated[
        int | None, typer.Option("--night-readers", min=0, help="How many read for the rest of the day.")
    ] = None,
    day: Annotated[str, typer.Option("--day", help="Full hours at which the day begins and ends.")] = "8-20",
    reading_min: Annotated[
        float | None, typer.Option("--reading-min", min=0.01, help="How long a reading takes on average.")
    ] = None,
    reading_spread: Annotated[
        float | None,
        typer.Option("--reading-spread", min=0, help="Its standard deviation, as a share of it."),
    ] = None,
    unlooked_share: Annotated[
        float,
        typer.Option(
            "--unlooked-share", min=0, max=1, help="Replayed exams with something that no AI here looks for."
        ),
    ] = 0.05,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write a page, pictures and a table into this folder.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Mean, 95th percentile and worst wait per finding under first-come, score and fair order.

    Replays a site's own arrivals, or invents a department. Every order gets the same exams, readers and
    readings. Nothing is changed anywhere; no line carries a patient's name.
    """
    with errors_in_words():
        if data is not None and csv_file is not None:
            raise ConfigError("Both --data and --csv were given.", remedy="Name one of them.")
        try:
            source, draw, usual, ceiling = _source(data, csv_file, invented, arrivals, unlooked_share)
        except InputError as error:  # a fault of what was named, not of the software
            raise ConfigError(error.what, remedy=error.remedy) from error
        ceilings = ceiling_min or [ceiling or load_settings(config).queue.ceiling_min]
        by_hour = _by_hour(readers, night_readers, day) or usual.by_hour
        people = replace(
            usual,
            by_hour=by_hour,
            reading_min=usual.reading_min if reading_min is None else reading_min,
            reading_spread=usual.reading_spread if reading_spread is None else reading_spread,
        )
        _say(_compared(source, draw, people, ceilings, runs, seed), out, as_json=as_json)


def _compared(
    source: str, draw: Draw, people: Readers, ceilings: list[float], runs: int, seed: int
) -> Comparison:
    from appliance.simulation.comparison import BY_SCORE, FIRST_COME, compare, fair  # noqa: PLC0415

    orders = (FIRST_COME, BY_SCORE, *(fair(ceiling) for ceiling in dict.fromkeys(ceilings)))
    return compare(draw, source=source, readers=people, orders=orders, runs=runs, seed=seed)


def _source(
    data: Path | None, csv_file: Path | None, invented: Invented, arrivals: int, unlooked_share: float
) -> tuple[str, Draw, Readers, float | None]:
    """What it is in words, the exams, who reads them where nothing else is said, and its own ceiling."""
    from appliance.simulation import department, published, recorded, stored  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    if csv_file is not None:
        replayed = recorded.read_csv(csv_file, unlooked_share=unlooked_share)
        return "the exams of a table", _drawn(replayed), department.EMERGENCY.readers, None
    if data is not None:
        layout = Layout(data=data.resolve())
        with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
            replayed = stored.read_store(database, unlooked_share=unlooked_share)
        return "the exams of this device", _drawn(replayed), department.EMERGENCY.readers, None
    is_published = invented is Invented.PUBLISHED
    chosen = published.CHEST_LIST if is_published else department.EMERGENCY
    ceiling_min = published.CEILING_MIN if is_published else None
    return chosen.name, lambda random: department.draw(chosen, arrivals, random), chosen.readers, ceiling_min


def _drawn(replayed: Recorded) -> Draw:
    if not replayed.exams:
        raise InputError(
            "There is no exam to replay.", remedy="Leave --data and --csv out to invent a department."
        )
    return replayed.draw


def _by_hour(readers: int | None, night_readers: int | None, day: str) -> tuple[int, ...] | None:
    """None: neither was said."""
    from appliance.simulation.readers import day_and_night  # noqa: PLC0415

    begins, dash, ends = day.partition("-")
    hours = [int(hour) for hour in (begins, ends) if hour.isascii() and hour.isdigit()]
    if not dash or len(hours) != 2 or max(hours) > 24:
        raise ConfigError(f"--day {day} is not two hours.", remedy="Say it as 8-20, or 20-8 over midnight.")
    if readers is None and night_readers is None:
        return None
    return day_and_night(readers or 0, night_readers or 0, begins=hours[0], ends=hours[1] % 24 or 24)


def _say(comparison: Comparison, out: Path | None, *, as_json: bool) -> None:
    from appliance.simulation import report  # noqa: PLC0415

    if as_json:
        for line in report.lines(comparison):
            say_json(line)
    else:
        for of_order in comparison.orders:
            rows: list[tuple[str, ...]] = [
                (
                    group.group + (" (not looked for)" if group.is_looked_for is False else ""),
                    f"{group.exams:,}",
                    report.words(group.mean_min),
                    report.words(group.p95_min),
                    report.words(group.worst_min, 0),
                    f"{group.longest_min:.0f}",
                )
                for group in of_order.groups
            ]
            title = f"{of_order.order.name}: minutes until the reading begins, with 95 % intervals"
            table(
                title, ("group", "exams", "mean", "95th percentile", "worst of a run", "worst of all"), rows
            )
    if out is not None:
        files = report.write(comparison, out)
        if not as_json:
            typer.echo(f"Written: {', '.join(str(file) for file in files)}")
