# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m ui`: what `scanside kiosk` starts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, cast

import typer

from appliance.commands.say import errors_in_words
from appliance.config import load_settings
from appliance.errors import ConfigError
from ui.main import run_kiosk
from ui.view_state import Profile


def main(  # noqa: PLR0913  (one parameter per option)
    *,
    data: Annotated[Path, typer.Option()],
    config: Annotated[Path | None, typer.Option()] = None,
    profile: Annotated[str | None, typer.Option()] = None,
    screenshot: Annotated[Path | None, typer.Option()] = None,
    size: Annotated[str | None, typer.Option()] = None,
    exam: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Show the store under DATA until the window is closed, or save one picture of it."""
    with errors_in_words():
        if profile not in (None, "scanner", "rural", "fracture"):
            raise ConfigError(
                f"--profile {profile} is not known.", remedy="Choose scanner, rural or fracture."
            )
        code = run_kiosk(
            data.resolve(),
            load_settings(config),
            screenshot=screenshot,
            size=_size(size),
            profile=cast("Profile | None", profile),
            exam_id=exam,
        )
    raise typer.Exit(code)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{3,5})x(\d{3,5})", text)
    if found is None:
        raise ConfigError(f"--size {text} is not a size.", remedy="Write WIDTHxHEIGHT in pixels: 1280x800.")
    return int(found.group(1)), int(found.group(2))


if __name__ == "__main__":
    typer.run(main)
