# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How commands speak: tables for people, one JSON object a line for programs, errors with their remedy."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from appliance.errors import ConfigError, ExitCode, InputError, ScansideError, StoreError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line, instead of a table.")]


WIDE: Final = 160
"""Columns of a table that goes into a file or a pipe, where nothing says how wide to be."""


def say_json(line: dict[str, Any]) -> None:
    """One object on one line of standard output."""
    print(json.dumps(line, ensure_ascii=True, allow_nan=False), flush=True)  # noqa: T201  (this is the output)


def table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table on standard output. Cells are plain text: a header cannot style the terminal."""
    drawn = Table(title=title, title_justify="left", show_lines=True)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(
            *(
                Text(
                    "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in cell)
                )
                for cell in row
            )
        )
    Console(width=None if sys.stdout.isatty() else WIDE).print(drawn)


@contextmanager
def errors_in_words() -> Iterator[None]:
    """A ScansideError ends the command with its words on standard error and the exit code of its class."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read our output has had enough; click knows what to do
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        remedy = "Check that the disk is mounted, writable and not full."
        if isinstance(error, PermissionError):
            remedy = f"Name a place that the user {_user()} may read and write."
        print(  # noqa: T201
            f"scanside: Cannot read or write{where}: {error.strerror or error}.\n  {remedy}", file=sys.stderr
        )
        raise typer.Exit(ExitCode.STORE) from error
    except ScansideError as error:
        print(f"scanside: {error.what}\n  {error.remedy}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(_exit_code(error)) from error


def _user() -> str:
    """Who this command runs as: on an installed device not who typed it."""
    import pwd  # noqa: PLC0415  (only on the way out)

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a number without a name
        return str(os.getuid())


def _exit_code(error: ScansideError) -> int:
    from appliance.processes.lock import AlreadyRunningError  # noqa: PLC0415  (only on the way out)

    if isinstance(error, ConfigError):
        return ExitCode.CONFIG
    if isinstance(error, InputError):
        return ExitCode.FOUND_FAULTS
    if isinstance(error, StoreError):
        return ExitCode.STORE
    if isinstance(error, AlreadyRunningError):
        return ExitCode.ALREADY_RUNNING
    return ExitCode.SOFTWARE
