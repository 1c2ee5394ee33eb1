# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside process`: files in, answers out, no service."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.clock import SystemClock
from appliance.commands.lines import say_lines
from appliance.commands.options import Config
from appliance.commands.say import AsJson, errors_in_words
from appliance.config import load_settings
from appliance.errors import ConfigError
from appliance.layout import Layout

DEFAULT_OUT: Final = Path("scanside-results")


def process(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders: DICOM, or NIfTI (.nii, .nii.gz).")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for derived images and DICOM results.")] = DEFAULT_OUT,
    nifti_modality: Annotated[
        str | None,
        typer.Option(help="What made the NIfTI volumes, which cannot say so themselves: CT or MR."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Data folder of an appliance, whose activated models answer here, too."),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Read, check, triage and denoise files where they lie, once, without a service.

    Prints one line per acquisition and per file that gave none; never stops at a bad file. Exit code 0 when
    every path got an answer, be it a reason. docs/json.md describes the --json lines.
    """
    from appliance.processes.models import kept_passports, open_registry  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.oneshot import files_below, process_files  # noqa: PLC0415
    from appliance.processes.operating_points import site_thresholds  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config)
        layout = Layout(data=out.resolve())
        files = files_below(tuple(paths), but=(layout.results, layout.views))
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        device = _device_of(data)
        passports = kept_passports() if device is None else device.engine_cache
        with (
            open_registry(settings, passports, layout=device) as registry,
            site_thresholds(device, SystemClock()) as thresholds,
            bar,
        ):
            shown = bar.add_task("", total=None)
            lines = process_files(
                files,
                settings=settings,
                out=layout,
                registry=registry,
                clock=SystemClock(),
                progress=lambda phase, done, total: bar.update(
                    shown, description=phase, completed=done, total=total
                ),
                nifti_modality=nifti_modality,
                thresholds=thresholds,
            )
            say_lines(lines, as_json=as_json)


def _device_of(data: Path | None) -> Layout | None:
    """The appliance's data folder that was named. Raises ConfigError when none is there."""
    if data is None:
        return None
    layout = Layout(data=data.resolve())
    if not layout.models.is_dir():
        raise ConfigError(
            f"{data} is not the data folder of an appliance.",
            remedy="Name the folder that `scanside run --data` works on, or leave the option out.",
        )
    return layout
