# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Finding renderers and ways out: a file with an `OUTPUT` is the one, `<kind>_send.py` is the other."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from types import ModuleType
from typing import Final, cast

import appliance.outputs
from appliance.config import Settings
from appliance.outputs.base import Destination, Output
from appliance.receivers import ReceiverSettings

WAY_OUT: Final = "_send"
"""How the names of files end that are ways out."""


@lru_cache(maxsize=1)
def renderers() -> tuple[Output, ...]:
    """All outputs that render results, by name. Imported on first use: some bring large libraries."""
    found = []
    for module in pkgutil.iter_modules(appliance.outputs.__path__):
        if module.name.endswith(WAY_OUT):
            continue  # imported when a receiver of its kind is in the settings
        output = getattr(
            importlib.import_module(f"{appliance.outputs.__name__}.{module.name}"), "OUTPUT", None
        )
        if output is not None:
            found.append(cast("Output", output))
    return tuple(sorted(found, key=lambda output: output.name))


def destination(receiver: ReceiverSettings, settings: Settings) -> Destination:
    """The way out to this receiver: what `destination` of its kind's file makes of its settings."""
    return cast("Destination", _way_out(receiver).destination(receiver, settings))


def echo(receiver: ReceiverSettings, settings: Settings) -> str | None:
    """Ask the receiver whether it is there, without sending anything: what it answered, in words.

    None: its kind cannot be asked. Raises DeliveryError.
    """
    ask = getattr(_way_out(receiver), "echo", None)
    return None if ask is None else cast("str", ask(receiver, settings))


def _way_out(receiver: ReceiverSettings) -> ModuleType:
    return importlib.import_module(f"{appliance.outputs.__name__}.{receiver.kind}{WAY_OUT}")
