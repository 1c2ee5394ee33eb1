# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the launcher starts: nothing of it outlives the launcher, or runs beside what comes next."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time  # noqa: TID251  (runs outside the appliance, which holds the clock)
from collections.abc import Callable

LOOK_S = 0.25
STOP_PATIENCE_S = 45.0
"""Three times what the supervisor gives its processes."""
PR_SET_PDEATHSIG = 1


def plain_environment() -> dict[str, str]:
    """Nothing that could put packages from elsewhere before those of the slot, for it and its children."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1"}


def dies_with_parent() -> None:
    """To be called in the child, before it runs its program."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def ended(
    child: subprocess.Popen[bytes], *, limit_s: float, stops: Callable[[], bool] = lambda: False
) -> tuple[bool, str]:
    """Whether it ended well, and the last line that it said."""
    until_s = time.monotonic() + limit_s
    while True:
        try:
            said, _ = child.communicate(timeout=LOOK_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() < until_s and not stops():
                continue
            stop(child)
            return False, "it took too long"
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return child.returncode == 0, lines[-1].strip().rstrip(".") if lines else ""


def stop(process: subprocess.Popen[bytes]) -> None:
    """It and whatever it started. Returns when nothing of it runs."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(STOP_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
