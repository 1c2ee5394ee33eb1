# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside metrics`: the device in numbers, for a machine that nobody scrapes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words, say_json


def metrics(
    *,
    data: Data = DEFAULT_DATA,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write this file, whole or not at all, instead of standard output."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a scrape would give, in Prometheus' text format. The appliance need not run.

    With --out it feeds the node exporter's textfile collector: name a file that ends in .prom in its folder.
    """
    import importlib.metadata  # noqa: PLC0415  (--help stays quick)

    from appliance.clock import SystemClock  # noqa: PLC0415
    from appliance.durable import write_whole  # noqa: PLC0415
    from appliance.layout import Layout  # noqa: PLC0415
    from appliance.monitor.metrics import DeviceMetrics, as_text  # noqa: PLC0415
    from appliance.processes.table import PROCESSES  # noqa: PLC0415

    with errors_in_words():
        device = DeviceMetrics(
            layout=Layout(data=data.resolve()),
            clock=SystemClock(),
            processes=tuple(row.name for row in PROCESSES),
            version=importlib.metadata.version("scanside"),
            counts_the_rest=True,
        )
        if as_json:
            for family in device.collect():
                for sample in family.samples:
                    say_json({"name": sample.name, "labels": sample.labels, "value": sample.value})
            return
        text = as_text(device)
        if out is None:
            sys.stdout.buffer.write(text)
        else:
            write_whole(out, text)
