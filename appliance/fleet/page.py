# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The fleet on one page that needs nothing else: no script, no link, every word escaped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from appliance.domain.record import to_plain
from appliance.fleet.beat import FleetBeat
from appliance.fleet.reading import Box, Fleet, Standing, in_words
from appliance.models.keys import grouped

TEMPLATE: Final = "fleet.html.j2"
GIB: Final = 1024**3


def page_of(fleet: Fleet, *, made_at_utc: datetime) -> bytes:
    """The page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  (only for a page)

    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    counts = {standing: sum(box.standing is standing for box in fleet.boxes) for standing in Standing}
    return (
        pages.get_template(TEMPLATE)
        .render(
            made=f"{made_at_utc:%Y-%m-%d %H:%M} UTC",
            counts=[(standing, count) for standing, count in counts.items() if count],
            rows=[_row(box) for box in fleet.boxes],
            refused=fleet.refused,
        )
        .encode("utf-8")
    )


def heard_words(box: Box) -> str:
    """When a box was last heard."""
    if box.beat is None:
        return "never"
    return "not known" if box.heard is None else f"{in_words(box.heard)} ago"


def to_plain_box(box: Box) -> dict[str, object]:
    """The box as JSON."""
    return {
        "name": box.name,
        "fingerprint": box.fingerprint,
        "standing": box.standing.value,
        "heard_s": None if box.heard is None else round(box.heard.total_seconds()),
        "notes": list(box.notes),
        "beat": None if box.beat is None else to_plain(box.beat),
    }


def _row(box: Box) -> dict[str, object]:
    beat = box.beat
    return {
        "standing": box.standing,
        "name": box.name,
        "site": "" if beat is None else _visible(beat.name),
        "key": grouped(box.fingerprint[:16]),
        "heard": heard_words(box),
        "notes": [_visible(note) for note in box.notes],
        "waiting": "" if beat is None else f"{beat.queued} in work, {beat.unsent} to send",
        "disk": "" if beat is None else _disk(beat),
        "proof": "" if beat is None else _moment(beat.last_proof_at_utc),
        "software": "" if beat is None else _visible(beat.software),
        "models": []
        if beat is None
        else [
            _visible(f"{one.model} on {one.engine}{' (fallback)' if one.falls_back else ''}")
            for one in beat.models
        ],
        "images": "" if beat is None else str(beat.stored_files),
    }


def _disk(beat: FleetBeat) -> str:
    if beat.disk_used_fraction is None:
        return "not known"
    free = "" if beat.disk_free_bytes is None else f", {beat.disk_free_bytes / GIB:.0f} GiB free"
    return f"{beat.disk_used_fraction:.0%} used{free}"


def _moment(at_utc: datetime | None) -> str:
    return "never" if at_utc is None else f"{at_utc:%Y-%m-%d %H:%M}"


def _visible(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
