# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside pin set`: who may open the service page and the reject figures on the screen."""

from __future__ import annotations

from typing import Annotated

import typer

from appliance.commands.audit import note_command
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.config import load_settings
from appliance.domain.audit import AuditKind
from appliance.layout import Layout
from appliance.pins import Role, set_pin

pin = typer.Typer(no_args_is_help=True, help="PINs of the screen's roles.")


@pin.callback()
def _pin() -> None:
    """PINs of the screen's roles."""


@pin.command("set")
def set_role(
    role: Annotated[Role, typer.Argument(help="service (the device) or lead (reject figures).")],
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Set or change the PIN of a role: asked for twice, never shown, 6 to 12 digits.

    Kept as a scrypt hash in the file of the setting `kiosk.pins`. The screen takes it at the next try. The
    audit trail of the data folder says that it was set.
    """
    with errors_in_words():
        file = load_settings(config).kiosk.pins
        set_pin(file, role, typer.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True))
        note_command(Layout(data=data.resolve()), AuditKind.PIN_SET, ("role", role.value))
        if as_json:
            say_json({"role": role.value, "file": str(file)})
        else:
            typer.echo(f"The PIN of {role.value} is set: {file}")
