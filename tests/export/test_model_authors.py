# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The model authors' guide, run as it stands: its files are written, its commands are run, in its order."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the guide trains a small network: PyTorch is not installed")
pytest.importorskip("onnxslim", reason="the workshop is not installed (make setup-export)")
pytest.importorskip("sklearn", reason="the workshop is not installed (make setup-export)")

from appliance.clock import NS_PER_S, SystemClock
from tests.conftest import REPOSITORY

GUIDE = REPOSITORY / "docs" / "model-authors.md"
BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LIMIT_S = 120.0
"""For one command, on a busy machine."""
COMES_LATER = {"scanside results ": '"status": "done"', "--report ": "disc_triage"}
"""Words of commands whose answer takes its time beside the running appliance, and what is waited for."""
STAYS = "scanside run "
"""The command that runs until somebody ends it."""


def blocks(page: str) -> list[tuple[str, str]]:
    return [(match["kind"], match["body"]) for match in BLOCK.finditer(page)]


class Reader:
    """Somebody who does what the guide says, in an empty folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.log = folder.parent / "run.log"
        self.children: list[subprocess.Popen[bytes]] = []
        doors = folder.parent / "doors"
        doors.mkdir()
        for name, words in (("scanside", f"{sys.executable} -m appliance"), ("python", sys.executable)):
            (doors / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
            (doors / name).chmod(0o755)
        unset = {"SCANSIDE__MODEL_KEYS", "SCANSIDE_DATA_FOLDER"}  # the guide has settings of its own
        self.environment = {name: value for name, value in os.environ.items() if name not in unset}
        self.environment |= {
            "PATH": f"{doors}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
            "XDG_CACHE_HOME": str(folder.parent / "cache"),
        }

    def write(self, body: str) -> None:
        """A file of the guide; its first line is its name."""
        name = body.partition("\n")[0].removeprefix("# ")
        assert re.fullmatch(r"[a-z_]+\.(py|toml)", name), f"a file of the guide has no name: {name!r}"
        (self.folder / name).write_text(body, encoding="utf-8")

    def ask(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )

    def run(self, command: str) -> str:
        """What it says. The guide promises that it works."""
        done = self.ask(command)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, command: str) -> None:
        """What runs until somebody ends it, beside everything that follows."""
        with self.log.open("w") as log:
            self.children.append(
                subprocess.Popen(
                    shlex.split(command), cwd=self.folder, env=self.environment, stdout=log, stderr=log
                )
            )

    def stop(self) -> None:
        """Ctrl-C, as the guide says."""
        for child in self.children:
            child.send_signal(signal.SIGINT)
        codes = [child.wait(timeout=LIMIT_S) for child in self.children]
        self.children.clear()
        assert not any(codes), self.log.read_text(encoding="utf-8")

    def until(self, command: str, wanted: str) -> str:
        """Ask again until the answer holds it: what the appliance says comes when it comes."""
        clock = SystemClock()
        end_ns = clock.monotonic_ns() + int(LIMIT_S * NS_PER_S)
        while clock.monotonic_ns() < end_ns:
            done = self.ask(command)
            if done.returncode == 0 and re.search(wanted, done.stdout):
                return done.stdout
            clock.sleep(0.5)
        pytest.fail(f"$ {command}\n{wanted} never came\n{done.stdout}{done.stderr}{self.log.read_text()}")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path / "reader")
    yield made
    made.stop()


@pytest.mark.timeout(420)
def test_the_guide_leads_to_a_new_task_on_the_device(reader: Reader) -> None:
    answers: dict[str, str] = {}
    for kind, body in blocks(GUIDE.read_text(encoding="utf-8")):
        if kind in ("python", "toml"):
            reader.write(body)
            continue
        assert kind == "console", f"a block that nobody runs: {body}"
        for line in body.splitlines():
            assert line.startswith("$ "), f"neither a command nor a file: {line}"
            command = line.removeprefix("$ ")
            wait_for = next((wanted for words, wanted in COMES_LATER.items() if words in command), None)
            if command.startswith(STAYS):
                reader.start(command)
            elif wait_for is not None:
                answers[command.partition(" --")[0]] = reader.until(command, wait_for)
            else:
                answers[command.partition(" --")[0]] = reader.run(command)
    result = json.loads(answers["scanside results"])
    assert "disc_triage@1.0.0" in result["models"]
    (finding,) = [item for item in result["findings"] if item["task"] == "disc_triage"]
    assert finding["code"]["meaning"] == "Bright disc"
    assert 0 < finding["sensitive_threshold"] <= finding["specific_threshold"] < 1
    assert "disc_triage@1.1.0 is active" in answers["scanside models activate disc_triage@1.1.0"]
    assert "disc_triage@1.0.0 is active again" in answers["scanside models rollback disc_triage"]
    report = json.loads((reader.folder / "work" / "report.json").read_text(encoding="utf-8"))
    assert report["failures"] == []
    assert {gate["precision"] for gate in report["gates"]} == {"int8", "fp16"}
    assert report["calibration"][0]["label"]["name"] == "Bright disc"
    assert report["signed_by"].startswith("the key clinic-west, fingerprint ")
    measured = {metric["name"]: metric["value"] for metric in report["card"]["metrics"]}
    assert 0.75 < measured["Bright disc: AUC"] < 1.0  # discs can be found, the faint ones hardly
    assert measured["Bright disc: expected calibration error"] < 0.15
