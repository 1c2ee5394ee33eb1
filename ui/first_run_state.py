# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run on the touch screen: its steps, the answers so far, what a field takes. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from appliance.config import Settings
from appliance.first_run.answers import (
    KIOSK_PROFILES,
    Answers,
    DicomAnswers,
    Language,
    PacsAnswers,
    PinAnswers,
    Profile,
)
from appliance.section import AeTitle
from ui.keyboard_state import Letters
from ui.language import LANGUAGES, noted, tr
from ui.plain_text import visible

HERE_ONLY: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  only where a person says that scanners send
LARGEST_PORT: Final = 65535
LONGEST: Final = 200
"""Characters of a path or a list; what is entered has to be read again."""
LONGEST_NAME: Final = 64
_AE_TITLE: Final = TypeAdapter[str](AeTitle)


class Step(Enum):
    """The pages, in their order. The value is the heading."""

    LANGUAGE = noted("Language")
    PROFILE = noted("Where it stands")
    INCOMING = noted("What comes in")
    OUTGOING = noted("Where results go")
    TIME = noted("Date and time")
    PINS = noted("PINs")
    MODELS = noted("Models")
    EXPOSURE = noted("Test exposure")
    SUMMARY = noted("Settings")


class PinState(Enum):
    """A PIN of one role; which one is nowhere."""

    NONE = noted("none")
    KEPT = noted("set before")
    CHOSEN = noted("chosen")


STEPS: Final = tuple(Step)
PROFILES: Final = {
    "scanner": noted("At a scanner"),
    "rural": noted("Screening clinic"),
    "emergency": noted("Emergency department"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What has been answered so far. Texts are as they were entered."""

    language: str = "en"
    profile: str = "scanner"
    site_name: str = ""
    inbox: str = ""
    host: str = HERE_ONLY
    """The address that the DICOM door listens at."""
    ae_title: str = "SCANSIDE"
    port: str = "11112"
    senders: str = ""
    """With blanks between; "": anyone."""
    pacs_host: str = ""
    pacs_port: str = "104"
    pacs_ae_title: str = ""
    pacs_name: str = "pacs"
    more_pacs: tuple[PacsAnswers, ...] = ()
    """Those behind the first one: the screen does not ask for them, and does not lose them."""
    clock_is_right: bool | None = None
    """None: nobody has said."""
    service_pin: PinState = PinState.NONE
    lead_pin: PinState = PinState.NONE

    @property
    def takes_from_network(self) -> bool:
        """Other machines may send."""
        return self.host != HERE_ONLY

    @property
    def has_pacs(self) -> bool:
        """Something has been entered for it."""
        return bool(self.pacs_host or self.pacs_ae_title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that is entered with the keyboard."""

    name: str
    """Of the Draft."""
    title: str
    letters: Letters
    empty: str
    """What an empty one says; "": it must not be empty."""


FIELDS: Final[dict[Step, tuple[Field, ...]]] = {
    Step.PROFILE: (
        Field(
            name="site_name",
            title=noted("Name of this site"),
            letters=Letters.WORDS,
            empty=noted("none"),
        ),
    ),
    Step.INCOMING: (
        Field(
            name="inbox",
            title=noted("One more folder to watch"),
            letters=Letters.SMALL,
            empty=noted("only inbox in the data folder"),
        ),
        Field(name="ae_title", title=noted("AE title of this device"), letters=Letters.LARGE, empty=""),
        Field(name="port", title=noted("Port of this device"), letters=Letters.DIGITS, empty=""),
        Field(
            name="senders",
            title=noted("AE titles that may send"),
            letters=Letters.LARGE,
            empty=noted("anyone"),
        ),
    ),
    Step.OUTGOING: (
        Field(
            name="pacs_host",
            title=noted("Address of the PACS"),
            letters=Letters.SMALL,
            empty=noted("none"),
        ),
        Field(name="pacs_port", title=noted("Port of the PACS"), letters=Letters.DIGITS, empty=""),
        Field(
            name="pacs_ae_title",
            title=noted("AE title of the PACS"),
            letters=Letters.LARGE,
            empty=noted("none"),
        ),
    ),
}


def value_of(draft: Draft, field: Field) -> str:
    """What stands in it, as it may be shown; an empty one says what that means."""
    text = cast("str", getattr(draft, field.name))
    return visible(text, limit=LONGEST) or tr(field.empty)


def fault_of(field: Field, text: str) -> str:
    """Why `text` cannot stand there; "" when it can."""
    if not text:
        return "" if field.empty else tr("This must not be empty.")
    if field.letters is Letters.DIGITS:
        in_range = text.isascii() and text.isdecimal() and 1 <= int(text) <= LARGEST_PORT
        return "" if in_range else tr("Enter a number from 1 to {largest}.", largest=LARGEST_PORT)
    if field.letters is Letters.LARGE:
        titles = text.split() if field.name == "senders" else [text]
        return "" if all(map(_is_ae_title, titles)) else tr("An AE title has 1 to 16 characters.")
    limit = LONGEST_NAME if field.letters is Letters.WORDS else LONGEST
    return "" if len(text) <= limit else tr("Enter at most {limit} characters.", limit=limit)


def _is_ae_title(text: str) -> bool:
    try:
        _AE_TITLE.validate_python(text)
    except ValidationError:
        return False
    return True


def with_value(draft: Draft, field: Field, text: str) -> Draft:
    """The draft with `text` there. Raises ValueError in the words of `fault_of`."""
    text = text.strip()
    if fault := fault_of(field, text):
        raise ValueError(fault)
    changed: dict[str, Any] = {field.name: text}
    return replace(draft, **changed)


def with_network(draft: Draft, *, on: bool) -> Draft:
    """Other machines may send, or only this one."""
    if on == draft.takes_from_network:
        return draft
    return replace(draft, host=EVERYWHERE if on else HERE_ONLY)


def page_fault(step: Step, draft: Draft) -> str:
    """Why the page cannot be left forwards, before anything is tried; "" when it can."""
    if step is Step.OUTGOING and draft.has_pacs and not (draft.pacs_host and draft.pacs_ae_title):
        return tr("A PACS needs both address and AE title.")
    if step is Step.TIME and draft.clock_is_right is None:
        return tr("Compare it with another clock. Say whether it is right.")
    return ""


def answers_of(draft: Draft, pin_hashes: Path) -> Answers:
    """The answers that `scanside first-run` knows. `pin_hashes`: where the PINs' hashes lie."""
    pacs: tuple[PacsAnswers, ...] = ()
    if draft.pacs_host and draft.pacs_ae_title:
        first = PacsAnswers(
            name=draft.pacs_name,
            host=draft.pacs_host,
            port=int(draft.pacs_port),
            ae_title=draft.pacs_ae_title,
        )
        pacs = (first,)
    has_pins = PinState.CHOSEN in {draft.service_pin, draft.lead_pin}
    return Answers(
        profile=cast("Profile", draft.profile),
        language=cast("Language", draft.language),
        site_name=draft.site_name,
        inbox=draft.inbox,
        clock_is_right=draft.clock_is_right is True,
        dicom=DicomAnswers(
            ae_title=draft.ae_title,
            host=draft.host,
            port=int(draft.port),
            senders=tuple(draft.senders.split()),
        ),
        pacs=(*pacs, *draft.more_pacs),
        pins=PinAnswers(hashes=str(pin_hashes.absolute())) if has_pins else PinAnswers(),
    )


def draft_of(settings: Settings, *, language: str) -> Draft:
    """What the settings in force would have answered. `language`: the one that the screen speaks now."""
    listener = settings.listener
    rooms = {screen: room for room, screen in KIOSK_PROFILES.items()}
    peers = [PacsAnswers(**_own(peer)) for peer in settings.sender.peers]
    draft = Draft(
        language=language if language in LANGUAGES else "en",
        profile=rooms[settings.kiosk.profile],
        site_name=settings.site_name,
        inbox=str(settings.intake.folders[0]) if settings.intake.folders else "",
        host=listener.host,
        ae_title=listener.ae_title,
        port=str(listener.port),
        senders=" ".join(listener.calling_ae_titles),
        more_pacs=tuple(peers[1:]),
    )
    if not peers:
        return draft
    first = peers[0]
    return replace(
        draft,
        pacs_name=first.name,
        pacs_host=first.host,
        pacs_port=str(first.port),
        pacs_ae_title=first.ae_title,
    )


def _own(peer: BaseModel) -> dict[str, Any]:
    """Of a receiver's settings, what an answer has."""
    return {name: getattr(peer, name) for name in PacsAnswers.model_fields}
