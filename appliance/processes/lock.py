# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One process of a kind per data folder. The kernel holds the lock, so it cannot outlive its holder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import ScansideError


class AlreadyRunningError(ScansideError):
    """Another process of this kind works on the same data folder."""


@contextmanager
def only_one(run: Path, process: str) -> Iterator[None]:
    """Hold the lock for the block. Raises AlreadyRunningError at once when somebody else has it."""
    with (run / f"{process}.lock").open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                f"Another {process} already works on {run.parent}.",
                remedy="Stop it first, or give this one a --data folder of its own.",
            ) from error
        yield
