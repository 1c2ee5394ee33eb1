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

from appliance.commands.say import errors_in_words
from appliance.errors import ConfigError


def bench(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Below three minutes on two quiet cores: ratios only.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything that was measured into this file.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Measure only this (again: more): dx_raw, ct_denoise, idle, ...")
    ] = None,
) -> None:
    """Measure the appliance on this machine, by turns with the pipeline that one would write first.

    Nothing else should run meanwhile, no other appliance either. Exit code 1: a promised number was missed,
    or something could not be measured. docs/performance.md tells how it is measured, and what was.
    """
    with errors_in_words():
        if importlib.util.find_spec("benchmarks") is None or importlib.util.find_spec("skimage") is None:
            raise ConfigError(
                "The benchmarks are not installed.",
                remedy="Install them with their extra: pip install 'scanside[benchmarks]'.",
            )
        command = [sys.executable, "-m", "benchmarks"]
        if quick:
            command.append("--quick")
        if json_file is not None:
            command += ["--json", str(json_file)]
        for name in only or ():
            command += ["--only", name]
        raise typer.Exit(subprocess.run(command, check=False).returncode)
