# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Renderers by name: the files of this folder that hold an `OUTPUT`, imported on use."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Final, cast

from appliance import outputs
from appliance.outputs.base import Output

RENDERER_FILES: Final = frozenset({"structured_report", "secondary_capture"})
"""The others serve, write or send; importing them all to find out would load libraries for nothing."""


def renderers() -> tuple[Output, ...]:
    """Everything that turns a lane's result into standard objects."""
    names = sorted(RENDERER_FILES & {module.name for module in pkgutil.iter_modules(outputs.__path__)})
    return tuple(cast("Output", import_module(f"{outputs.__name__}.{name}").OUTPUT) for name in names)
