# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Finding renderers and ways out by the names of their files.

A file with an `OUTPUT` renders DICOM objects; `<word>_message.py` renders files whose names end in
`.<word>...` and that are no DICOM objects; `<kind>_send.py` is a way out.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable
from functools import lru_cache
from types import ModuleType
from typing import Final, cast

import appliance.outputs
from appliance.config import Settings
from appliance.layout import Layout
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


def messages(endings: Iterable[str], *, settings: Settings, layout: Layout) -> tuple[Output, ...]:
    """What renders files with these endings, as far as they are no DICOM objects. Nothing else is imported.

    Raises ConfigError when what one of them needs is not installed.
    """
    found = []
    for ending in sorted(endings):
        word = re.match(r"\.([a-z0-9]+)", ending)
        name = f"{appliance.outputs.__name__}.{word[1]}_message" if word else ""
        if name and importlib.util.find_spec(name) is not None:
            module = importlib.import_module(name)
            found.append(cast("Output", module.message(ending, settings, layout)))
    return tuple(found)


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
