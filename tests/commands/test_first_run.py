# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside first-run` with a file of answers: tried out for real, written when all holds, and only then."""

from __future__ import annotations

import os
import pwd
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from appliance.config import load_settings
from appliance.errors import ExitCode
from tests.command_line import json_lines
from tests.running import free_port

Say = Callable[..., CompletedProcess[str]]


def test_what_holds_is_written_and_what_does_not_is_said(tmp_path: Path, say: Say) -> None:
    answers, settings, data = tmp_path / "answers.toml", tmp_path / "scanside.toml", tmp_path / "data"
    inbox = tmp_path / "share"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = (
            f'inbox = "{inbox}"\nclock_is_right = false\n[dicom]\nport = {taken.getsockname()[1]}\n'
            '[pins]\nservice = "111111"\n'
        )
        answers.write_text(text, encoding="utf-8")
        command = ("first-run", "--answers", answers, "--config", settings, "--data", data, "--json")
        done = say(*command)
    assert done.returncode == ExitCode.FOUND_FAULTS
    failed = {line["subject"].split(" 127")[0] for line in json_lines(done) if line["health"] == "FAIL"}
    assert failed == {"inbox", "DICOM port", "clock", "PIN service"}
    assert not settings.exists()

    inbox.mkdir()
    pacs = '[[pacs]]\nhost = "127.0.0.1"\nport = 1\nae_title = "PACS"\n'
    answers.write_text(f'inbox = "{inbox}"\n[dicom]\nport = {free_port()}\n{pacs}', encoding="utf-8")
    done = say(*command)
    assert done.returncode == ExitCode.OK, done.stderr
    lines = {line["subject"]: line for line in json_lines(done)}
    assert lines["test exposure"]["health"] == "OK"
    assert lines["model chest_triage"]["health"] == "OK"
    assert lines["peer pacs"]["health"] == "CHECK"
    assert load_settings(settings).intake.folders == (inbox,)
    assert list(inbox.iterdir()) == []
    assert list((data / "engines").glob("passport-*"))  # the appliance need not make them again
    assert say(*command).returncode == ExitCode.CONFIG


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become the owner of the data folder")
def test_root_writes_and_the_owner_of_the_data_folder_tries_out(say: Say) -> None:
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(prefix="scanside-root-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        data, settings, answers = folder / "data", folder / "etc" / "scanside.toml", folder / "answers.toml"
        data.mkdir()
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
        if not _can_run_as(nobody):
            pytest.skip("the software of this checkout cannot be read by another user")
        answers.write_text(f'[dicom]\nport = {free_port()}\n[pins]\nservice = "582931"\n', encoding="utf-8")
        answers.chmod(0o600)  # root's alone
        pins = folder / "etc" / "pins.toml"
        done = say(
            *("first-run", "--answers", answers, "--config", settings, "--data", data, "--json"),
            SCANSIDE__KIOSK__PINS=str(pins),
        )
        assert done.returncode == ExitCode.OK, done.stderr
        lines = {line["subject"]: line["health"] for line in json_lines(done)}
        assert lines["test exposure"] == "OK"
        assert lines["PIN service"] == "OK"
        owners = {path.stat().st_uid for path in (data, *data.rglob("*"))}
        assert owners == {nobody.pw_uid}
        for file in (settings, pins):  # root's, and the appliance can read it
            status = file.stat()
            mode = (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))
            assert mode == (0, nobody.pw_gid, 0o640)


def _can_run_as(user: pwd.struct_passwd) -> bool:
    command = [sys.executable, "-m", "appliance.cli", "--version"]
    try:
        return (
            subprocess.run(
                command,
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                check=False,
            ).returncode
            == 0
        )
    except PermissionError:
        return False
