# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from appliance.config import SETTINGS_FILE_NAME

DEFAULT_DATA: Final = Path("scanside-data")
DATA_FOLDER_NAME: Final = "SCANSIDE_DATA_FOLDER"
"""The environment's word for the data folder: on an installed device it names the patients' own."""

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Data folder. Everything lives under it; the watched folder is DATA/inbox.",
        envvar=DATA_FOLDER_NAME,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Settings file (TOML). Without one the defaults hold; see docs/settings.md.",
        envvar=SETTINGS_FILE_NAME,
    ),
]
DEMO_DATA: Final = Path("kiosk-demo-data")
"""Where the kiosk's demonstration lives when no folder is named: never where patients are."""
Demo = Annotated[
    bool, typer.Option("--demo", help="Play a morning of invented patients while the window is open.")
]
DemoSpeed = Annotated[
    float, typer.Option("--demo-speed", min=0.1, max=100.0, help="How many times as fast the morning goes.")
]


def demo_folder(data: Path) -> Path:
    """The folder for the demonstration: the one that was named with `--data`, else one of its own."""
    unnamed = {DEFAULT_DATA, Path(os.environ.get(DATA_FOLDER_NAME) or DEFAULT_DATA)}
    return DEMO_DATA if data in unnamed else data
