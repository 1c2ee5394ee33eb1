# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The `scanside` command."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from typing import Annotated

import structlog
import typer

from appliance.commands.audit import audit
from appliance.commands.backup import backup, restore
from appliance.commands.bench import bench
from appliance.commands.binder import binder
from appliance.commands.callbacks import callbacks
from appliance.commands.config import config
from appliance.commands.conformance import conformance
from appliance.commands.courier import courier
from appliance.commands.deidentify import deidentify
from appliance.commands.demo import demo
from appliance.commands.doctor import doctor
from appliance.commands.drift import drift
from appliance.commands.export import PASSED_ON, export
from appliance.commands.first_run import first_run
from appliance.commands.fleet import fleet
from appliance.commands.kiosk import kiosk
from appliance.commands.light import light
from appliance.commands.metrics import metrics
from appliance.commands.models import models
from appliance.commands.notices import notices
from appliance.commands.outcomes import outcomes
from appliance.commands.pin import pin
from appliance.commands.process import process
from appliance.commands.report import report
from appliance.commands.results import results
from appliance.commands.run import run
from appliance.commands.safe_mode import safe_mode
from appliance.commands.simulate import simulate
from appliance.commands.slip import slip
from appliance.commands.store import store
from appliance.commands.support_bundle import support_bundle
from appliance.commands.threshold import threshold
from appliance.commands.update import update
from appliance.commands.worklist import worklist
from appliance.errors import ExitCode
from appliance.logs import start_logs

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=(
        "Quality control, triage and denoising beside the scanner. An aid: a person decides.\n\n"
        "Start with `scanside demo`, then `scanside run --data DIR` and copy DICOM files into DIR/inbox.\n\n"
        "Exit codes: 0 done; 1 done, and faults were found; 2 wrong usage; 69 the GPU was lost "
        "(a worker only); 70 a fault of the software; "
        "74 the store cannot be used; 75 already running; 78 a setting is wrong."
    ),
)
app.command()(demo)
app.command("first-run")(first_run)
app.command()(run)
app.command()(results)
app.command()(process)
app.command()(kiosk)
app.command()(doctor)
app.command()(worklist)
app.command()(backup)
app.command()(restore)
app.command("safe-mode")(safe_mode)
app.command()(deidentify)
app.command()(conformance)
app.command()(binder)
app.command()(simulate)
app.command()(metrics)
app.command()(drift)
app.command("support-bundle")(support_bundle)
app.command(context_settings=PASSED_ON, add_help_option=False)(export)
app.add_typer(config, name="config")
app.add_typer(bench, name="bench")
app.add_typer(store, name="store")
app.add_typer(audit, name="audit")
app.add_typer(models, name="models")
app.add_typer(fleet, name="fleet")
app.add_typer(courier, name="courier")
app.add_typer(pin, name="pin")
app.add_typer(slip, name="slip")
app.add_typer(light, name="light")
app.add_typer(notices, name="notices")
app.add_typer(threshold, name="threshold")
app.add_typer(outcomes, name="outcomes")
app.add_typer(callbacks, name="callbacks")
app.add_typer(report, name="report")
app.add_typer(update, name="update")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(importlib.metadata.version("scanside"))
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Entry point of the installed command."""
    start_logs("scanside", level=logging.WARNING)
    try:
        app(prog_name="scanside")
    except Exception as error:  # the command's one catch-all: exit code 1 has another meaning
        log = structlog.get_logger()
        log.error("fault of the software", exc_info=error)
        sys.exit(ExitCode.SOFTWARE)


if __name__ == "__main__":
    main()
