# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside process`: every path gets its line, nothing but the results folder is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from appliance.errors import ExitCode
from appliance.pipeline.report import set_aside_line
from appliance.selftest.phantom_radiograph import Identity, write_chest
from tests.command_line import json_lines

Say = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good and hostile files."""
    made = tmp_path_factory.mktemp("in")
    write_chest(made / "chest.dcm", identity=Identity(patient_name="CANARY^JANE"), rows=360, columns=300)
    content = bytearray((made / "chest.dcm").read_bytes())
    (made / "cut.dcm").write_bytes(content[:-5000])
    content[300:600] = bytes(range(200, 250)) * 6
    (made / "mangled.dcm").write_bytes(content)
    (made / "random").write_bytes(os.urandom(5000))
    (made / "page.html").write_text("<html></html>")
    os.mkfifo(made / "pipe")
    (made / "link").symlink_to(made / "chest.dcm")
    (made / "broken_link").symlink_to(made / "nowhere")
    (made / os.fsdecode(b"\xff\xfe")).touch()
    return made


def test_every_path_gets_its_line_and_the_exit_code_is_0(folder: Path, tmp_path: Path, say: Say) -> None:
    out, missing = tmp_path / "out", tmp_path / "missing.dcm"
    names = sorted(os.listdir(folder))  # noqa: PTH208  (names of any bytes)
    done = say("process", folder, missing, "--out", out, "--json")
    assert done.returncode == ExitCode.OK
    lines = json_lines(done)
    assert sorted(Path(path).name for line in lines for path in line["files"]) == sorted(
        [*names, "missing.dcm"]
    )
    fields = list(set_aside_line(file="", status="", reason=""))
    assert all(list(line) == fields for line in lines)
    chest = next(line for line in lines if line["files"] == [str(folder / "chest.dcm")])
    assert chest["status"] == "done"
    assert {finding["task"] for finding in chest["findings"]} == {"chest_triage"}
    assert chest["engines"] == {"quality_chest": "ort f32 CPU", "chest_triage": "ort f32 CPU"}
    others = [line for line in lines if line is not chest and "mangled" not in line["files"][0]]
    assert {line["status"] for line in others} == {"quarantined"}
    assert all(line["reason"] for line in others)
    assert "CANARY" not in done.stdout + done.stderr
    assert done.stderr == ""
    assert sorted(os.listdir(folder)) == names  # noqa: PTH208
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    assert all(Path(path).is_file() for path in chest["outputs"])


def test_a_table_says_the_same_to_people(folder: Path, tmp_path: Path, say: Say) -> None:
    done = say("process", folder / "chest.dcm", folder / "page.html", "--out", tmp_path / "out")
    assert done.returncode == ExitCode.OK
    assert "2 acquisitions and files" in done.stdout
    assert "page.html" in done.stdout
    assert "quarantined" in done.stdout


def test_a_results_folder_that_cannot_be_made_ends_with_74(folder: Path, tmp_path: Path, say: Say) -> None:
    (tmp_path / "file").touch()
    done = say("process", folder / "chest.dcm", "--out", tmp_path / "file" / "out")
    assert done.returncode == ExitCode.STORE
    assert "Not a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_earlier_run_changes_nothing(folder: Path, tmp_path: Path, say: Say) -> None:
    shutil.copyfile(folder / "chest.dcm", tmp_path / "chest.dcm")
    first, second = (
        json_lines(say("process", tmp_path / "chest.dcm", "--out", tmp_path / "out", "--json"))
        for _ in range(2)
    )
    written = {path: path.read_bytes() for path in (tmp_path / "out" / "results").rglob("*.dcm")}
    assert written
    for line in (*first, *second):
        del line["timings_ms"]
    assert first == second
