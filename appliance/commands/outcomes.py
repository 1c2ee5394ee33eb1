# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside outcomes import`: what turned out later, from a laboratory or from radiology reports."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import typer

from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words, say_json

outcomes = typer.Typer(no_args_is_help=True, help="What turned out later about findings.")

MOST_BYTES: Final = 64 * 1024**2
"""Half a million rows."""


class Form(str, Enum):
    """Of the file."""

    AUTO = "auto"
    CSV = "csv"
    HL7 = "hl7"


@outcomes.callback()
def _outcomes() -> None:
    """What turned out later about findings."""


@outcomes.command("import")
def take(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, or HL7 v2 ORU messages.")],
    *,
    form: Annotated[
        Form, typer.Option("--format", help="auto: HL7 where the file begins with MSH, else CSV.")
    ] = Form.AUTO,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Take the outcomes of a file into the store, all or none. The same file again changes nothing."""
    from appliance.commands.existing_store import existing_store  # noqa: PLC0415  (--help stays quick)
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.errors import ConfigError  # noqa: PLC0415
    from appliance.monitor.reports.outcome_csv import read_csv  # noqa: PLC0415
    from appliance.monitor.reports.outcome_hl7 import read_hl7  # noqa: PLC0415
    from appliance.store.outcomes import Outcomes  # noqa: PLC0415

    with errors_in_words():
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(
                f"The file is larger than {MOST_BYTES // 1024**2} MiB.", remedy="Import it in parts."
            )
        is_hl7 = content.lstrip(b"\x0b\r\n \xef\xbb\xbf").startswith(b"MSH")
        hl7 = form is Form.HL7 or (form is Form.AUTO and is_hl7)
        read = read_hl7(content) if hl7 else read_csv(content)
        with existing_store(data, change=True) as database:
            imported = Outcomes(database).add(read.outcomes)
        if as_json:
            say_json({**to_plain(imported), "passed_over": list(read.passed_over)})
            return
        typer.echo(f"{imported.new} outcomes are new, {imported.known} were known.")
        if imported.conflicts:
            typer.echo(
                f"{imported.conflicts} say the opposite of an earlier one without being a correction: both "
                "are kept, and none of them counts."
            )
        for words in read.passed_over:
            typer.echo(f"Passed over: {words}.")
