# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside kiosk`: the screen, or a picture of it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.options import DEFAULT_DATA, Config, Data, Demo, DemoSpeed, demo_folder
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.errors import ConfigError


def kiosk(  # noqa: PLR0913  one for each option of the command
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    profile: Annotated[
        str | None, typer.Option(help="scanner, rural or fracture; default: as the settings say.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="en, fr, es, pt, hi, sw or ar; default: as the settings say.")
    ] = None,
    screenshot: Annotated[
        Path | None, typer.Option(help="Render the screen into this PNG without a display, and end.")
    ] = None,
    size: Annotated[str, typer.Option(help="Size of the screenshot in pixels, WIDTHxHEIGHT.")] = "1920x1080",
    demo: Demo = False,
    demo_speed: DemoSpeed = 1.0,
    exam: Annotated[
        str | None, typer.Option(help="Acquisition to open; default: the most urgent one, or the wall.")
    ] = None,
    first_run: Annotated[
        bool, typer.Option("--first-run", help="Set the device up first, also one that has been.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the store says: worklist, image with overlays, quality card, health.

    The kiosk only reads the store: it may be closed or killed at any time. It is a program of its own
    under the GPL (it uses PyQt6) and needs the `kiosk` extra.
    """
    with errors_in_words():
        if importlib.util.find_spec("ui") is None or importlib.util.find_spec("PyQt6") is None:
            raise ConfigError(
                "The kiosk is not installed.",
                remedy="Install it with its extra: pip install 'scanside[kiosk]'.",
            )
        shown = demo_folder(data) if demo else data
        command = [sys.executable, "-m", "ui", "--data", str(shown.resolve()), "--size", size]
        command += ["--demo", "--demo-speed", str(demo_speed)] if demo else []
        command += ["--first-run"] if first_run else []
        for name, value in (
            ("--config", config),
            ("--profile", profile),
            ("--language", language),
            ("--screenshot", screenshot),
            ("--exam", exam),
        ):
            if value is not None:
                command += [name, str(value)]
        code = subprocess.run(command, check=False).returncode
        if as_json:
            say_json({"screenshot": str(screenshot) if screenshot else None, "exit_code": code})
        raise typer.Exit(code)
