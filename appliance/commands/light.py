# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside light test`: every state of the stack light for a moment, so that somebody can look at it."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from appliance.clock import SystemClock
from appliance.commands.options import Config
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.config import load_settings
from appliance.errors import ConfigError

FLASH_S: Final = 0.5

light = typer.Typer(no_args_is_help=True, help="The stack light.")


@light.callback()
def _light() -> None:
    """The stack light."""


@light.command("test")
def try_light(
    *,
    seconds: Annotated[float, typer.Option(min=0.0, max=60.0, help="How long each state is shown.")] = 3.0,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show every state in turn and say which one it is; the buzzer sounds with red.

    While the appliance runs, its own light must be stopped first: one program at a time drives the lamps.
    """
    from appliance.outputs.stack_light import LightState, lamps_of, open_light  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config).light
        if settings.kind == "none":
            raise ConfigError(
                "No light is named in the settings.", remedy="Set light.kind to gpio or serial."
            )
        clock = SystemClock()
        with open_light(settings) as opened:
            for state in LightState:
                if as_json:
                    say_json({"state": state.value})
                else:
                    typer.echo(state.value)
                for half in range(max(1, round(seconds / FLASH_S))):
                    opened.show(lamps_of(state, flash=half % 2 == 0, buzzer=half == 0))
                    clock.sleep(min(seconds, FLASH_S))
