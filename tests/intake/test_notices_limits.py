# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A kernel that allows no more watches, or no queue of events: the folders are listed, and all is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("limit", "value", "when", "events_at_first"),
    [
        ("max_inotify_instances", "0", "at first", False),
        ("max_inotify_watches", "0", "at first", False),
        ("max_inotify_watches", "1", "at first", True),
        ("max_inotify_watches", "2", "later", True),
    ],
)
def test_everything_is_found(
    tmp_path: Path, limit: str, value: str, when: str, events_at_first: bool
) -> None:
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run((unshare, "--user", "--map-root-user", "true"), check=False).returncode
    ):
        pytest.skip("user namespaces are not allowed here")
    program = (sys.executable, "-m", "tests.intake.few_watches", str(tmp_path), limit, value, when)
    done = subprocess.run(
        (unshare, "--user", "--map-root-user", *program),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert answers["events_at_first"] is events_at_first
    assert answers["found_at_first"] == ["a.dcm"]
    assert answers["found_at_last"] == ["0.dcm", "1.dcm", "2.dcm", "3.dcm", "4.dcm", "a.dcm"]
    assert ("listed instead" in done.stdout) is not events_at_first
