# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside deidentify`: images for training or support, without the patient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.audit import note_command
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.domain.audit import AuditKind
from appliance.errors import ExitCode

Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        help="patient (age, sex, size, weight), device (serial numbers, station) or dates (moved, intervals "
        "kept). Can be given several times. Without it all of these are removed.",
    ),
]
LookedAt = Annotated[
    bool,
    typer.Option(
        "--pixels-looked-at",
        help="A person has looked at every picture and no name, number or date of a patient stands in it.",
    ),
]


def deidentify(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="DICOM images, or folders of them.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the new files.")],
    keep: Keep = None,
    pixels_looked_at: LookedAt = False,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write copies of images without their patients, after DICOM's own profile (PS3.15 annex E).

    The same patient gets the same stand-in each time, made with the key in DATA/keys. Nothing is written for
    a file in which a name may be left.
    """
    from appliance.clock import SystemClock  # noqa: PLC0415  (--help stays quick)
    from appliance.config import load_settings  # noqa: PLC0415
    from appliance.deidentification.export import deidentify_files  # noqa: PLC0415
    from appliance.deidentification.pseudonyms import pseudonyms_of  # noqa: PLC0415
    from appliance.deidentification.rules import Option  # noqa: PLC0415
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.intake.jail import Jail  # noqa: PLC0415
    from appliance.layout import Layout  # noqa: PLC0415
    from appliance.processes.oneshot import files_below  # noqa: PLC0415

    known = {option.name.lower(): option for option in Option}
    unknown = sorted(set(keep or ()) - set(known))
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(known)}", param_hint="--keep")
    with errors_in_words():
        out.mkdir(parents=True, exist_ok=True)
        pseudonyms = pseudonyms_of(Layout(data=data.resolve()).keys / "deidentification.key")
        with Jail(load_settings(config).reading, SystemClock()) as jail:
            answers = list(
                deidentify_files(
                    files_below(tuple(paths), but=(out.resolve(),)),
                    out=out,
                    jail=jail,
                    pseudonyms=pseudonyms,
                    options=frozenset(known[word] for word in keep or ()),
                    pixels_looked_at=pixels_looked_at,
                )
            )
        written = sum(answer.written is not None for answer in answers)
        what = ("de-identified copies", str(written))
        note_command(Layout(data=data.resolve()), AuditKind.EXPORTED, what, ("kept", ", ".join(keep or ())))
    if as_json:
        for answer in answers:
            say_json(to_plain(answer))
    else:
        rows: list[tuple[str, ...]] = [
            (answer.source, answer.written or "nothing written", answer.reason or "") for answer in answers
        ]
        table("Images without their patients", ("from", "to", "why not"), rows)
    if any(answer.written is None for answer in answers):
        raise typer.Exit(ExitCode.FOUND_FAULTS)
