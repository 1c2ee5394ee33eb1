# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The questions in a terminal, each with the default that is safe."""

from __future__ import annotations

import typing
from typing import Any

import typer
from pydantic import ValidationError, create_model

from appliance.clock import Clock
from appliance.errors import ConfigError
from appliance.first_run.answers import Answers, DicomAnswers, Language, PacsAnswers, PinAnswers, Profile
from appliance.pins import require_good


def ask(clock: Clock) -> Answers:
    """Everything; an answer that cannot be is asked for again."""
    profile = _checked(f"Where does it stand: {_or(Profile)}", Answers, "profile", "scanner")
    language = _checked(f"Language of the screen: {_or(Language)}", Answers, "language", "en")
    site_name = _checked("Name of this site (empty: none)", Answers, "site_name", "")
    inbox = typer.prompt(
        "One more folder to watch (empty: only inbox in the data folder)", default="", err=True
    )
    now = clock.now_utc().astimezone()
    right = typer.confirm(f"This device's clock shows {now:%Y-%m-%d %H:%M %Z}. Is that right?", err=True)
    dicom = DicomAnswers()
    if typer.confirm("Do scanners send over the network?", default=False, err=True):
        senders = typer.prompt(
            "AE titles that may send, with blanks between (empty: anyone)", default="", err=True
        )
        dicom = DicomAnswers(
            host="0.0.0.0",  # noqa: S104  (asked for)
            ae_title=_checked("AE title of this device", DicomAnswers, "ae_title", "SCANSIDE"),
            port=_checked("Port", DicomAnswers, "port", "11112"),
            senders=tuple(senders.split()),
        )
    pacs: list[PacsAnswers] = []
    while typer.confirm("Add a PACS?" if not pacs else "Add another one?", default=False, err=True):
        pacs.append(
            PacsAnswers(
                name=_checked("  Your name for it", PacsAnswers, "name", "pacs"),
                host=_checked("  Its address", PacsAnswers, "host", None),
                port=_checked("  Its port", PacsAnswers, "port", "104"),
                ae_title=_checked("  Its AE title", PacsAnswers, "ae_title", None),
            )
        )
    return Answers(
        profile=profile,
        language=language,
        site_name=site_name,
        inbox=inbox,
        clock_is_right=right,
        dicom=dicom,
        pacs=tuple(pacs),
        pins=PinAnswers(service=_pin("service (looks after the device)"), lead=_pin("lead (reject figures)")),
    )


def _or(choices: Any) -> str:
    """What may be said, in words."""
    return ", ".join(typing.get_args(choices))


def _checked(words: str, section: Any, name: str, default: str | None) -> Any:
    """Until it is what the field takes."""
    field = section.model_fields[name]
    alone: Any = create_model("Alone", answer=(field.annotation, field))
    while True:
        given = typer.prompt(words, default=default, err=True)
        try:
            return alone(answer=given).answer
        except ValidationError as error:
            typer.echo(f"  That cannot be: {error.errors()[0]['msg']}.", err=True)


def _pin(role: str) -> str:
    while True:
        given: str = typer.prompt(
            f"PIN for {role}, 6 to 12 digits (empty: none)",
            default="",
            hide_input=True,
            show_default=False,
            err=True,
        )
        try:
            if given:
                require_good(given)
        except ConfigError as error:
            typer.echo(f"  {error}", err=True)
        else:
            return given
