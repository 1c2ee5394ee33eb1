# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m ui --data DIR`: the kiosk as the program that it is. `scanside kiosk` starts it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import typer

from appliance.commands.options import DEFAULT_DATA, Config, Data, Demo, DemoSpeed, demo_folder
from appliance.commands.say import errors_in_words
from appliance.configuration.last_good import settings_for_running
from appliance.layout import Layout
from ui.main import run_kiosk

SMALLEST_PX: Final = 320
LARGEST_PX: Final = 8192
"""Sides of a picture: a hand-held panel to an 8K wall."""


class LanguageCode(str, Enum):
    """The languages of the screen (ui/language.py)."""

    ENGLISH = "en"
    FRENCH = "fr"
    SPANISH = "es"
    PORTUGUESE = "pt"
    HINDI = "hi"
    SWAHILI = "sw"
    ARABIC = "ar"


class ProfileName(str, Enum):
    """Which room the screen stands in."""

    SCANNER = "scanner"
    RURAL = "rural"
    FRACTURE = "fracture"


def _size(text: str) -> tuple[int, int]:
    width, by, height = text.lower().partition("x")
    if by and width.isdecimal() and height.isdecimal():
        size = int(width), int(height)
        if all(SMALLEST_PX <= side <= LARGEST_PX for side in size):
            return size
    raise typer.BadParameter(
        f"write it as WIDTHxHEIGHT, each {SMALLEST_PX} to {LARGEST_PX}, for example 1920x1080"
    )


def main(  # noqa: PLR0913  a command has as many arguments as options
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    profile: Annotated[
        ProfileName | None, typer.Option(help="Arrangement; default: as the settings say.")
    ] = None,
    language: Annotated[
        LanguageCode | None, typer.Option(help="Language of the screen; default: as the settings say.")
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
) -> None:
    """Show worklist, picture, verdict and health of the appliance that works on DATA."""
    with errors_in_words():
        folder = (demo_folder(data) if demo else data).resolve()
        code = run_kiosk(
            folder,
            settings_for_running(config, Layout(data=folder)).settings,
            screenshot=screenshot,
            size=_size(size) if screenshot is not None else None,
            profile=profile.value if profile is not None else None,
            exam_id=exam,
            language=language.value if language is not None else None,
            demo_speed=demo_speed if demo else None,
            config=config,
            first_run=first_run,
        )
    raise typer.Exit(code)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)  # the pretty ones show variables: patients among them
    app.command()(main)
    app()
