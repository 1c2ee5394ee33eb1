# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked at the first run, as a file that a person or a fleet's administrator can also write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import tomlkit
from pydantic import Field, ValidationError

from appliance.config import read_content
from appliance.errors import ConfigError
from appliance.section import AeTitle, Section
from appliance.settings_form import CURRENT_FORM, VERSION_KEY

Profile = Literal["scanner", "rural", "emergency"]
Language = Literal["en", "fr", "es", "pt", "hi", "sw", "ar"]
KIOSK_PROFILES: Final = {"scanner": "scanner", "rural": "rural", "emergency": "fracture"}
"""What a room is called to what its screen is called (kiosk.profile)."""
Pin = Annotated[str, Field(pattern=r"^([0-9]{6,12})?$")]
"""As `scanside pin set` takes it; empty: none is set."""


class DicomAnswers(Section):
    """How scanners send. As shipped only this machine may."""

    ae_title: AeTitle = "SCANSIDE"
    host: str = "127.0.0.1"
    port: int = Field(default=11112, ge=1, le=65535)
    senders: tuple[AeTitle, ...] = ()
    """AE titles that may send; empty: anyone who can reach `host`."""


class PacsAnswers(Section):
    """Where originals and results go."""

    name: str = Field(default="pacs", min_length=1, max_length=64)
    host: str
    port: int = Field(default=104, ge=1, le=65535)
    ae_title: AeTitle


class PinAnswers(Section):
    """PINs of the screen's service pages. They go into their own file as hashes, and into no settings."""

    service: Pin = ""
    lead: Pin = ""
    hashes: str = ""
    """A file of hashes, as the wizard on the touch screen leaves it: its PINs are taken over."""


class Answers(Section):
    """All of it; what is left out has a default that is safe on one machine by itself."""

    profile: Profile = "scanner"
    language: Language = "en"
    site_name: str = Field(default="", max_length=64)
    inbox: str = ""
    """One more folder to watch, such as a share; empty: only `inbox` in the data folder."""
    clock_is_right: bool = True
    """A person has compared the device's clock with another one."""
    dicom: DicomAnswers = DicomAnswers()
    pacs: tuple[PacsAnswers, ...] = ()
    pins: PinAnswers = PinAnswers()

    def without_pins(self) -> Answers:
        """All that may lie in a file that others read."""
        return self.model_copy(update={"pins": PinAnswers()})


def read_answers(file: Path) -> Answers:
    """The answers in a file. Raises ConfigError that names every answer that cannot be."""
    try:
        return Answers.model_validate(read_content(file))
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        ]
        raise ConfigError(
            f"Answers in {file} cannot be: {'; '.join(faults)}.",
            remedy="docs/first-run.md shows a whole file.",
        ) from error


def settings_text(answers: Answers) -> str:
    """The settings file: only what differs from the defaults, with a word on each part."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by `scanside first-run`; docs/settings.md lists every setting."))
    document.add(VERSION_KEY, tomlkit.item(CURRENT_FORM))
    if answers.site_name:
        document.add("site_name", tomlkit.item(answers.site_name))
    kiosk = tomlkit.table()
    kiosk.add("profile", KIOSK_PROFILES[answers.profile])
    kiosk.add("language", answers.language)
    document.add("kiosk", kiosk)
    if answers.inbox:
        intake = tomlkit.table()
        intake.add("folders", [answers.inbox])
        document.add("intake", intake)
    told = answers.dicom.model_dump(exclude_defaults=True)
    if told:
        listener = tomlkit.table()
        for name, value in told.items():
            listener.add("calling_ae_titles" if name == "senders" else name, _plain(value))
        document.add("listener", listener)
    if answers.pacs:
        peers = tomlkit.aot()
        for pacs in answers.pacs:
            peer = tomlkit.table()
            for name, value in pacs.model_dump().items():
                peer.add(name, value)
            peers.append(peer)
        sender = tomlkit.table(is_super_table=True)
        sender.add("peers", peers)
        document.add("sender", sender)
    return tomlkit.dumps(document)


def answers_text(answers: Answers) -> str:
    """The answers as a file, to be given again; without the PINs, of which it may name the hashes."""
    told = answers.model_dump(exclude={"pins": {"service", "lead"}}, exclude_defaults=True)
    return tomlkit.dumps(_listed({name: value for name, value in told.items() if value != {}}))


def _listed(value: dict[str, object]) -> dict[str, object]:
    """TOML has lists where Python has tuples."""
    return {name: _listed(one) if isinstance(one, dict) else _plain(one) for name, one in value.items()}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
