# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Values as they may be shown. Settings name the files of secrets; an address can still carry a password."""

from __future__ import annotations

import re
from typing import Any, Final

MASK: Final = "***"
_USER_IN_ADDRESS: Final = re.compile(r"^([a-z][a-z0-9+.\-]*://)[^/@\s]+@", re.IGNORECASE)
_SECRET_NAME: Final = re.compile(r"(^|_)(password|passphrase|secret|token|pin)$")
"""Of a setting that holds a secret itself: there is none, and a misspelt one must not be shown either."""


def shown(value: Any, key: str = "") -> Any:
    """The value without what must not be seen on a screen or in a report."""
    if isinstance(value, str):
        if value and _SECRET_NAME.search(key):
            return MASK
        return _USER_IN_ADDRESS.sub(rf"\1{MASK}@", value)
    if isinstance(value, dict):
        return {name: shown(one, str(name)) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [shown(one, key) for one in value]
    return value
