# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which code runs, seen from outside: the interpreter's own profiler reports every call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Watch = Callable[[FrameType, str, Any], None]
"""Frame, event ("call" of Python code, "c_call" of other code), and what is called."""


@contextmanager
def calls_watched(watch: Watch) -> Iterator[None]:
    """Every call of this thread goes through `watch` as well."""
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)
