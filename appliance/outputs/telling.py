# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What those have in common who tell notices: holding back what repeats, and words.

A text comes from a template, ours or the site's, filled in a sandbox: it sees the fields of the notice and
nothing else.
"""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from appliance.clock import NS_PER_S, Clock
from appliance.domain.record import from_json
from appliance.errors import DeliveryError
from appliance.outputs.notice import HIGH, Notice
from appliance.outputs.over_http import content_of
from appliance.receivers import NoticeSettings

MAX_TEXT: Final = 16 * 1024
"""Characters. A telephone shows less, and a template that loops makes more."""
OWN_WORDS: Final = """\
{%- if kind == "finding" %}Please look: {{ finding }}? AI, not confirmed
{%- elif kind == "repeat" %}Image to be repeated: {{ task }}
{%- elif kind == "test" %}Test: this is how Scanside tells you something
{%- else %}{{ advice }}{% endif %}
{% if site %}Site: {{ site }}
{% endif %}{% if station %}Station: {{ station }}
{% endif %}{% if patient_name or patient_id %}Patient: {{ patient_name or "" }} {{ patient_id or "" }}
{% endif %}{% if kind == "repeat" %}{{ advice }}
{% endif %}{% if time %}Time: {{ time }}
{% endif %}{% if link %}Exam: {{ link }}
{% endif %}{% if held_back %}{{ held_back }} more of this sort were held back.
{% endif %}"""


class Cooldown:
    """Which notices go out now. One receiver, one thread."""

    def __init__(self, cooldown_s: float, clock: Clock) -> None:
        self._cooldown_ns = cooldown_s * NS_PER_S
        self._clock = clock
        self._sent_ns: dict[tuple[str, ...], int] = {}
        self._held_back: dict[tuple[str, ...], int] = {}

    def holds_back(self, notice: Notice) -> bool:
        """Has one of its sort just gone out? It is counted then. What is `high` is never held back."""
        sent_ns = self._sent_ns.get(notice.sort)
        if sent_ns is None or notice.band == HIGH:
            return False
        if self._clock.monotonic_ns() - sent_ns >= self._cooldown_ns:
            return False
        self._held_back[notice.sort] = self.held_back(notice) + 1
        return True

    def held_back(self, notice: Notice) -> int:
        """How many of its sort did not go out since the last one that did."""
        return self._held_back.get(notice.sort, 0)

    def went_out(self, notice: Notice) -> None:
        """The receiver has it."""
        self._sent_ns[notice.sort] = self._clock.monotonic_ns()
        self._held_back.pop(notice.sort, None)


def notice_in(path: Path) -> Notice:
    """The notice in a file. Raises DeliveryError when there is none."""
    try:
        return from_json(Notice, content_of(path).decode("utf-8"))
    except ValueError as error:
        raise DeliveryError(
            f"{path.name} holds no notice.",
            remedy="Look at the disk of this device.",
            permanent=True,
            this_file_only=True,
        ) from error


def plain(notice: Notice, *, held_back: int) -> dict[str, Any]:
    """The fields of a notice for a template or for JSON."""
    return {
        name: value.value if isinstance(value, Enum) else value for name, value in asdict(notice).items()
    } | {"held_back": held_back}


def text_of(notice: Notice, receiver: NoticeSettings, *, held_back: int) -> str:
    """The notice in the words of the receiver's template. Raises DeliveryError when that is faulty."""
    template = OWN_WORDS
    if receiver.template:
        try:
            template = Path(receiver.template).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _faulty(receiver, "it cannot be read") from error
    try:
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        text = environment.from_string(template).render(plain(notice, held_back=held_back))
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise _faulty(receiver, type(error).__name__ + (f" in line {line}" if line else "")) from error
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise _faulty(receiver, type(error).__name__) from error
    if len(text) > MAX_TEXT:
        raise _faulty(receiver, f"it makes more than {MAX_TEXT} characters")
    return text


def _faulty(receiver: NoticeSettings, why: str) -> DeliveryError:
    return DeliveryError(
        f"The template of {receiver.name} cannot be used: {why}.",
        remedy=f"Mend {receiver.template or 'the template'}; docs/notifications.md lists the fields.",
        permanent=True,
    )
