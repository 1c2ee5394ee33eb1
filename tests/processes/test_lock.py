# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One process of a kind per data folder; a dead holder's lock is free."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.processes.lock import AlreadyRunningError, only_one

HOLDER = (
    "import sys, pathlib; from appliance.processes.lock import only_one\n"
    "with only_one(pathlib.Path(sys.argv[1]), 'worker'):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


# Trace: REQ-047
def test_a_second_one_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunningError, match="Another worker"), only_one(tmp_path, "worker"):
            pytest.fail("two hold one lock")
        with only_one(tmp_path, "watcher"):
            pass
        holder.kill()
        holder.wait()
        with only_one(tmp_path, "worker"):
            pass
