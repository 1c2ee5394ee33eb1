# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside bench`: this machine, measured. The benchmarks are a program beside the appliance."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import errors_in_words
from appliance.errors import ConfigError

bench = typer.Typer(no_args_is_help=True, help="Measure this machine; compare what was measured.")


@bench.command()
def run(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Below three minutes on two quiet cores: ratios only.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything that was measured into this file, too.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Measure only this (again: more): dx_raw, ct_denoise, idle, ...")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="Folder of the run; one that was interrupted goes on in it.")
    ] = None,
    soak_minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Length of the part `soak`: 5 minutes, or days.")
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Measure the appliance on this machine, by turns with the pipeline that one would write first.

    Nothing else should run meanwhile, no other appliance either. A run that was interrupted goes on with the
    same command. It ends in a JSON file that the device of DATA signs, a page with pictures, and a row for
    tables. Exit code 1: a promised number was missed, or something could not be measured.
    docs/performance.md tells how it is measured, and what was.
    """
    options = ["--quick"] if quick else []
    for name, value in (
        ("--json", json_file),
        ("--into", into),
        ("--soak-minutes", soak_minutes),
        ("--data", data),
    ):
        if value is not None:
            options += [name, str(value)]
    for name in only or ():
        options += ["--only", name]
    _benchmarks("run", *options)


@bench.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A run's JSON file.")],
    after: Annotated[Path, typer.Argument(help="Another one.")],
    *,
    across: Annotated[
        bool, typer.Option("--across", help="Compare although the machines differ; it is said.")
    ] = False,
) -> None:
    """What moved from one run to another, and whether it is more than noise.

    Exit code 1: something became worse, or the files cannot be compared.
    """
    _benchmarks("compare", str(before), str(after), *(["--across"] if across else []))


@bench.command()
def targets(
    out: Annotated[Path, typer.Argument(help="Markdown file to write.")],
    *,
    results: Annotated[
        Path | None, typer.Option(help="Folder of runs. Default: those that came with the software.")
    ] = None,
) -> None:
    """Write the table of what was measured on which machine, beside published figures of others."""
    _benchmarks("targets", str(out), *(["--results", str(results)] if results is not None else []))


def _benchmarks(*arguments: str) -> None:
    with errors_in_words():
        if importlib.util.find_spec("benchmarks") is None or importlib.util.find_spec("skimage") is None:
            raise ConfigError(
                "The benchmarks are not installed.",
                remedy="Install them with their extra: pip install 'scanside[benchmarks]'.",
            )
        command = [sys.executable, "-m", "benchmarks", *arguments]
        raise typer.Exit(subprocess.run(command, check=False).returncode)
