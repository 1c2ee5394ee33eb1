# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The unit of a device whose software lies in slots."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.updates.child import STOP_PATIENCE_S
from appliance.updates.choice import LAUNCHER
from appliance.updates.places import DEFAULT_ROOT

UNIT = Path(__file__).resolve().parents[2] / "packaging" / "systemd" / "slots" / "scanside-software.service"
MOST_EXPOSED = 1.5


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_it_starts_the_launcher_and_waits_until_it_has_stopped_everything() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert f"ExecStart=/usr/bin/python3 -I {DEFAULT_ROOT / LAUNCHER} run --data /var/lib/scanside " in text
    patience = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert patience is not None
    assert int(patience[1]) > STOP_PATIENCE_S
    assert f"StateDirectory=scanside {DEFAULT_ROOT.name}\n" in text


# Trace: REQ-042
def test_it_is_hardened() -> None:
    done = analyze("security", "--offline=true", "--no-pager", str(UNIT))
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert float(score[1]) <= MOST_EXPOSED, done.stdout


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace("/usr/bin/python3", sys.executable)
    unit.write_text(text, encoding="utf-8")
    done = analyze("verify", "--man=no", "--recursive-errors=no", str(unit))
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
