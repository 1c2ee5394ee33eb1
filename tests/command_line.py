# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The `scanside` command, run as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LIMIT_S = 110


def scanside(*arguments: str | Path, cache: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Its exit code, and what it said on both channels. `cache` keeps proofs of models."""
    return subprocess.run(
        [sys.executable, "-m", "appliance", *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), **settings},
    )


def json_lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Standard output, which must be one JSON object a line and nothing else."""
    return [json.loads(line) for line in done.stdout.splitlines()]
