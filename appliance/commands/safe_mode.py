# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside safe-mode`: is the device in it, and out of it."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.errors import ConfigError
from appliance.layout import Layout


class Wish(str, Enum):
    """What is asked for."""

    SHOW = "show"
    OFF = "off"


def safe_mode(
    wish: Annotated[Wish, typer.Argument(help="off: everything runs again, at once.")] = Wish.SHOW,
    *,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Show how much of the appliance runs, or end the safe mode.

    A device that went down soon after several starts in a row runs without AI, then only receives and shows.
    It comes back by itself when it stays up, a step every five minutes.
    """
    from appliance.monitor.boots import BootCounter  # noqa: PLC0415  (--help stays quick)

    with errors_in_words():
        layout = Layout(data=data.resolve())
        if not layout.data.is_dir():
            raise ConfigError(f"There is no data folder {layout.data}.", remedy="Name it: --data DIR.")
        counter = BootCounter(layout.boots)
        if wish is Wish.OFF:
            counter.reset()
        boots = counter.read()
        level = boots.level.name.lower()
        if as_json:
            say_json({"level": level, "bad_starts": boots.bad_starts})
        else:
            typer.echo(f"{level.replace('_', ' ')} ({boots.bad_starts} starts that are not known to be good)")
