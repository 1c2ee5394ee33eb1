# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Finding renderers and ways out: a file with an `OUTPUT` is the one, `<kind>_send.py` is the other."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import cast

import appliance.outputs
from appliance.config import Settings
from appliance.outputs.base import Destination, Output
from appliance.receivers import ReceiverSettings


@lru_cache(maxsize=1)
def renderers() -> tuple[Output, ...]:
    """All outputs that render results, by name. Imported on first use: some bring large libraries."""
    found = []
    for module in pkgutil.iter_modules(appliance.outputs.__path__):
        output = getattr(
            importlib.import_module(f"{appliance.outputs.__name__}.{module.name}"), "OUTPUT", None
        )
        if output is not None:
            found.append(cast("Output", output))
    return tuple(sorted(found, key=lambda output: output.name))


def destination(receiver: ReceiverSettings, settings: Settings) -> Destination:
    """The way out to this receiver: what `destination` of its kind's file makes of its settings."""
    module = importlib.import_module(f"{appliance.outputs.__name__}.{receiver.kind}_send")
    return cast("Destination", module.destination(receiver, settings))
