# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service page and the reject figures say. No Qt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from appliance.config import Settings
from appliance.errors import ScansideError
from appliance.layout import Layout
from appliance.receivers import PeerSettings
from appliance.store.decisions import Choice, Decision
from appliance.updates.places import Software
from ui.language import tr, tr_n
from ui.plain_text import LONGEST_SENTENCE, visible

_FIRST_CLAUSE: Final = re.compile(r"[^.,;:(]*")
"""A check's advice begins with what is wrong; sizes and directions come after: "Left base cut off, 9 mm"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line: what, and its value."""

    title: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoLine:
    """One receiver, and whether it answered."""

    peer: str
    words: str
    answered: bool | None
    """None: not asked yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectLine:
    """How many images of one view had one outcome."""

    view: str
    choice: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectState:
    """Today's decisions."""

    total: str
    lines: tuple[RejectLine, ...]
    """Repeats before kept ones, most frequent first."""


def facts_of(settings: Settings, layout: Layout, version: str) -> tuple[Fact, ...]:
    """How this device is called and where its things lie."""
    listener = settings.listener
    door = visible(f"{listener.ae_title}, {listener.host}:{listener.port}")
    return (
        Fact(title=tr("AE title, address, port"), value=door if listener.enabled else tr("switched off")),
        Fact(title=tr("Data folder"), value=visible(str(layout.data.absolute()), limit=LONGEST_SENTENCE)),
        Fact(title=tr("Version"), value=visible(version)),
    )


def software_facts(software: Software) -> tuple[Fact, ...]:
    """What runs since when, why, and what changed with it."""
    standing = tr("has proved itself") if software.confirmed else tr("on trial")
    since = f"{software.since_utc}, {standing}" if software.since_utc else standing
    said = (
        (tr("Runs since"), since),
        (tr("Why this version"), software.note),
        (tr("What changed"), " ".join(software.changes)),
    )
    return tuple(
        Fact(title=title, value=visible(value, limit=LONGEST_SENTENCE)) for title, value in said if value
    )


def not_asked(peers: Iterable[PeerSettings]) -> tuple[EchoLine, ...]:
    """The receivers before anybody has asked them."""
    return tuple(EchoLine(peer=peer_words(peer), words=tr("Not tested yet"), answered=None) for peer in peers)


def echo_line(peer: PeerSettings, error: ScansideError | None) -> EchoLine:
    """What came of a C-ECHO; `error` None: it answered."""
    words = tr("Answers") if error is None else visible(str(error), limit=LONGEST_SENTENCE)
    return EchoLine(peer=peer_words(peer), words=words, answered=error is None)


def peer_words(peer: PeerSettings) -> str:
    """Name, AE title and address."""
    return visible(f"{peer.name} ({peer.ae_title}, {peer.host}:{peer.port})", limit=LONGEST_SENTENCE)


def rejects_of(decisions: Iterable[Decision], views: Mapping[str, str]) -> RejectState:
    """Counts by view, outcome and reason. `views`: what each acquisition shows, by its id."""
    counted: Counter[tuple[str, Choice, str]] = Counter()
    for decision in decisions:
        view = views.get(decision.acquisition_id) or tr("view not known")
        counted[view, decision.choice, _reason(decision)] += 1
    repeats = sum(count for (_, choice, _), count in counted.items() if choice is Choice.REPEAT)
    ordered = sorted(counted.items(), key=lambda pair: (pair[0][1] is Choice.KEEP, -pair[1], pair[0]))
    total = sum(counted.values())
    return RejectState(
        total=tr_n(
            "{repeats} of {count} decided image repeated",
            "{repeats} of {count} decided images repeated",
            total,
            repeats=repeats,
        ),
        lines=tuple(
            RejectLine(
                view=view,
                choice=tr("Repeat") if choice is Choice.REPEAT else tr("Kept"),
                reason=reason,
                count=count,
            )
            for (view, choice, reason), count in ordered
        ),
    )


def _reason(decision: Decision) -> str:
    if not decision.reason:
        return tr("no reason given")
    clause = _FIRST_CLAUSE.match(decision.reason)
    return visible(clause.group().strip() if clause else "") or tr("no reason given")
