# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the machine: heat, battery, clock, receivers. One word and one line each. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appliance.monitor.timekeeping import BUILD_YEAR
from appliance.store.peers import PeerStanding
from ui.device_record import DeviceRecord
from ui.language import tr
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.records import BoardRecord
from ui.wording import clock_time

CLOCK_SLACK_S: Final = 60.0
"""A clock that is corrected by less than this dates no image wrongly."""
_SHOWN_DAY: Final = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFault:
    """One thing that is wrong."""

    word: str
    advice: str
    loses: bool = False
    """Images or results can be lost: the only reason for red."""


def device_faults(board: BoardRecord) -> Iterator[DeviceFault]:
    """All of them, worst first; none where nobody looked."""
    device = board.health.device
    if device is None:
        return
    yield from battery_faults(device)
    yield from heat_faults(device)
    yield from clock_faults(board)
    for peer in device.peers:
        yield from peer_faults(peer, now_utc=board.read_at_utc)
    yield from door_faults(device)


def battery_faults(device: DeviceRecord) -> Iterator[DeviceFault]:
    """It empties and is nearly empty, or low."""
    battery = device.battery
    if battery is None or not battery.is_low:
        return
    word = tr("BATTERY {percent}", percent=f"{battery.fraction:.0%}")
    if battery.is_nearly_empty:
        yield DeviceFault(word=word, advice=tr("Plug it in now. It stops soon."), loses=True)
    else:
        yield DeviceFault(word=word, advice=tr("Plug in the charger."))


def heat_faults(device: DeviceRecord) -> Iterator[DeviceFault]:
    """It is at the limit of one of its zones."""
    heat = device.temperature
    if heat is not None and heat.is_hot:
        yield DeviceFault(
            word=tr("HOT {degrees}", degrees=f"{heat.celsius:.0f} °C"),
            advice=tr("Free its air slots. Move it out of the sun."),
        )


def clock_faults(board: BoardRecord) -> Iterator[DeviceFault]:
    """It shows a time before this software was made, or before an image that is here already."""
    now = board.read_at_utc
    newest = newest_landed(board)
    is_too_old = now.year < BUILD_YEAR
    if is_too_old or (newest is not None and (newest - now).total_seconds() > CLOCK_SLACK_S):
        yield DeviceFault(word=tr("CLOCK"), advice=tr("The clock is wrong. Call service to set it."))


def peer_faults(peer: PeerStanding, *, now_utc: datetime) -> Iterator[DeviceFault]:
    """It takes nothing, or it refuses some files."""
    name = visible(peer.name)
    if peer.away_since_utc is not None and peer.needs_person and peer.away_reason is not None:
        yield DeviceFault(
            word=tr("PACS REFUSES"),
            advice=tr(
                "{reason} {count} files wait. Nothing is lost.",
                reason=visible(peer.away_reason, limit=LONGEST_SENTENCE),
                count=peer.waiting,
            ),
        )
    elif peer.away_since_utc is not None:
        since = moment_words(peer.away_since_utc, now_utc=now_utc)
        yield DeviceFault(
            word=tr("PACS OFFLINE"),
            advice=tr(
                "{name} since {since}: {count} files wait. Nothing is lost.",
                name=name,
                since=since,
                count=peer.waiting,
            ),
        )
    elif peer.reason is not None and peer.attempts:
        yield DeviceFault(
            word=tr("PACS REFUSES"),
            advice=tr(
                "{name} refuses a file: {reason}",
                name=name,
                reason=visible(peer.reason, limit=LONGEST_SENTENCE),
            ),
        )


def door_faults(device: DeviceRecord) -> Iterator[DeviceFault]:
    """Somebody knocks again and again and is not let in: a scanner that is set up wrongly, or a stranger."""
    if device.turned_away:
        last = device.turned_away[-1]
        name = visible(f"{last.host} {last.ae_title}".strip())
        yield DeviceFault(
            word=tr("SENDER REFUSED"),
            advice=tr(
                "{name} was refused {count} times. Its images do not arrive. Call service.",
                name=name,
                count=last.count,
            ),
        )


def newest_landed(board: BoardRecord) -> datetime | None:
    """The latest time at which one of the exams on the board landed."""
    return max((exam.entry.landed_at_utc for exam in board.exams), default=None)


def moment_words(moment: datetime, *, now_utc: datetime) -> str:
    """Hours and minutes today, else with the date."""
    local = moment.astimezone()
    same_day = local.date() == now_utc.astimezone().date()
    return clock_time(moment) if same_day else local.strftime(_SHOWN_DAY)
