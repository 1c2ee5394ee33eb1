# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside conformance`: the DICOM Conformance Statement of this device as it is set up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.options import Config
from appliance.commands.say import AsJson, errors_in_words, say_json


def conformance(
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Write it into this file.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the DICOM Conformance Statement, in Markdown, from the settings of this device."""
    from appliance.config import load_settings  # noqa: PLC0415  (--help stays quick)
    from appliance.conformance.page import page_of  # noqa: PLC0415
    from appliance.conformance.statement import statement_of  # noqa: PLC0415
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.durable import write_durably  # noqa: PLC0415

    with errors_in_words():
        facts = statement_of(load_settings(config))
        if out is not None:
            write_durably(out, page_of(facts).encode())
        if as_json:
            say_json(to_plain(facts))
        elif out is None:
            typer.echo(page_of(facts), nl=False)
