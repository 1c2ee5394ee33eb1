# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Words for people, lines for programs, and the exit code of an error's class."""

from __future__ import annotations

import json
import os
import pwd

import pytest
import typer

from appliance.commands.say import errors_in_words, say_json, table
from appliance.errors import ConfigError, EngineError, ExitCode, InputError, StoreError
from appliance.processes.lock import AlreadyRunningError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("It is odd.", remedy="Mend it."), ExitCode.CONFIG),
        (StoreError("It is odd.", remedy="Mend it."), ExitCode.STORE),
        (AlreadyRunningError("It is odd.", remedy="Mend it."), ExitCode.ALREADY_RUNNING),
        (EngineError("It is odd.", remedy="Mend it."), ExitCode.SOFTWARE),
        (InputError("It is odd.", remedy="Mend it."), ExitCode.FOUND_FAULTS),
    ],
)
def test_each_class_of_error_has_its_exit_code_and_its_words(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, errors_in_words():
        raise error
    assert ended.value.exit_code == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "scanside: It is odd.\n  Mend it.\n"


def test_a_disk_that_fails_is_said_with_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, errors_in_words():
        raise PermissionError(13, "Permission denied", "/srv/out")
    assert ended.value.exit_code == ExitCode.STORE
    said = capsys.readouterr().err
    assert "/srv/out: Permission denied" in said
    assert f"Name a place that the user {pwd.getpwuid(os.getuid()).pw_name} may read and write." in said
    with pytest.raises(typer.Exit), errors_in_words():
        raise OSError(28, "No space left on device")
    assert "not full" in capsys.readouterr().err


def test_a_reader_that_has_had_enough_is_no_fault_of_the_disk() -> None:
    with pytest.raises(BrokenPipeError), errors_in_words():
        raise BrokenPipeError


def test_a_line_is_one_line_of_plain_json(capsys: pytest.CaptureFixture[str]) -> None:
    line = {"reason": "two\nlines, \x1b[31mred\x1b[0m, M\u00f6bius \udcff"}
    say_json(line)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.isascii()
    assert json.loads(out) == line
    with pytest.raises(ValueError, match="JSON"):
        say_json({"value": float("nan")})


def test_a_cell_cannot_style_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    table("Title", ("name",), [("[bold]a[/bold] \x1b[31mred\x07\udcff",), ("two\nlines",)])
    out = capsys.readouterr().out
    assert "[bold]a[/bold]" in out
    assert not any(character in out for character in "\x1b\x07\udcff")
    assert "\ufffd" in out
