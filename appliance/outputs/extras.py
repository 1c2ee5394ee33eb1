# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Libraries that only some ways out need: said in words when one is not installed."""

from __future__ import annotations

import importlib.util

from appliance.errors import ConfigError


def require_extra(extra: str, *packages: str) -> None:
    """Raises ConfigError naming the extra when one of its packages (by import name) is not there."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ConfigError(
                f"The settings name something that needs {package}, which is not installed.",
                remedy=f'Install it (pip install "scanside[{extra}]"), or take it out of the settings.',
            )
