# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside demo`, end to end: what was planted is found, and it clears no folder but its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import pytest

from appliance.errors import ExitCode
from tests.command_line import json_lines

Say = Callable[..., CompletedProcess[str]]


@pytest.mark.timeout(240)
def test_the_demonstration_finds_what_was_planted(tmp_path: Path, say: Say) -> None:
    data = tmp_path / "demo"
    done = say("demo", "--data", data, "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    lines = json_lines(done)
    assert len(lines) == 6
    assert {line["status"] for line in lines} == {"done"}
    by_study = {Path(line["files"][0]).parent.name: line for line in lines}
    verdicts = {
        name: {check["criterion"]: check["verdict"] for check in line["quality"]}
        for name, line in by_study.items()
    }
    assert all(line["planted"] for line in lines)
    flagged = {
        name: {criterion for criterion, verdict in found.items() if verdict in {"CHECK", "REPEAT"}}
        for name, found in verdicts.items()
    }
    assert by_study["1-chest"]["planted"] == "nothing"
    assert not any(flagged[name] for name, line in by_study.items() if line["planted"] == "nothing")
    assert all(flagged[name] for name, line in by_study.items() if line["planted"] != "nothing")
    assert by_study["6-ct"]["derived"]
    assert cv2.imread(str(data / "kiosk.png")) is not None
    assert "PHANTOM^" not in (data / "appliance.log").read_text(encoding="utf-8")


def test_a_folder_that_is_no_demonstration_is_left_as_it_is(tmp_path: Path, say: Say) -> None:
    (tmp_path / "thesis.txt").write_text("Years of work.")
    done = say("demo", "--data", tmp_path)
    assert done.returncode == ExitCode.CONFIG
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
