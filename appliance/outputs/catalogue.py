# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Finding renderers: every file here that holds an `OUTPUT` is one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import cast

import appliance.outputs
from appliance.outputs.base import Output


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
