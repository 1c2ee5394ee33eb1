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
