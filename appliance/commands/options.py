# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_DATA: Final = Path("scanside-data")

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Data folder. Everything lives under it; the watched folder is DATA/inbox.",
        envvar="SCANSIDE_DATA_FOLDER",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Settings file (TOML). Without one the defaults hold; see docs/settings.md."
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
    """The folder for the demonstration: the one that was named, else one of its own."""
    return DEMO_DATA if data == DEFAULT_DATA else data
