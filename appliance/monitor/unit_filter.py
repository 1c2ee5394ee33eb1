# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whom the units let through: the doctor's own questions do not pass the filter of the services.

systemd.resource-control(5): an address that IPAddressAllow= names is let through; else one that IPAddressDeny
names is not; any other is. As packaged, each unit reaches this machine only, until a drop-in names others.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from appliance.config import Settings
from appliance.monitor.diagnosis import Diagnosis, Health
from appliance.receivers import (
    EmailSettings,
    HttpSettings,
    MllpSettings,
    PeerSettings,
    PrinterSettings,
    StowSettings,
)
from appliance.receivers.messages import is_this_machine

SLOTS: Final = "scanside-software"
"""The one unit of all processes where the software comes in signed updates (docs/updates.md)."""
ASKED: Final = ("ActiveState", "ExecStart", "IPAddressAllow", "IPAddressDeny")
PATIENCE_S: Final = 10.0

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFilter:
    """What a running unit says of addresses."""

    unit: str
    allowed: tuple[_Network, ...]
    denied: tuple[_Network, ...]

    def lets_through(self, address: str) -> bool:
        """Whether packets to and from it pass."""
        one = ipaddress.ip_address(address)
        return any(one in network for network in self.allowed) or not any(
            one in network for network in self.denied
        )

    @property
    def is_this_machine_only(self) -> bool:
        """Whether nobody from outside gets in."""
        outside = any(not network.is_loopback for network in self.allowed)
        return not outside and any(network.prefixlen == 0 for network in self.denied)


def closed_filters(settings: Settings, data: Path) -> Iterator[Diagnosis]:
    """Neighbours of the settings that a unit which works on `data` does not let through."""
    ask = cache(lambda process: running_filter(process, data))  # a site may have many receivers
    for subject, process, host, health in _wanted(settings):
        unit = ask(process)
        addresses = _addresses(host) if unit is not None else ()
        if unit is not None and addresses and not any(map(unit.lets_through, addresses)):
            yield _closed(subject, health, unit, f"does not let {host} through", addresses[0])
    if settings.listener.enabled and not is_this_machine(settings.listener.host):
        unit = ask("watcher")
        if unit is not None and unit.is_this_machine_only:
            words = "lets nobody in but this machine"
            yield _closed("DICOM door", Health.FAIL, unit, words, "ADDRESS-OF-THE-SENDER")


def _wanted(settings: Settings) -> Iterator[tuple[str, str, str, Health]]:
    """Subject, process and host of each neighbour, and how bad it is if that one is not let through."""
    for receiver in settings.sender.receivers:
        if isinstance(receiver, PeerSettings | MllpSettings | EmailSettings | PrinterSettings):
            yield f"peer {receiver.name}", "sender", receiver.host, Health.FAIL
        elif isinstance(receiver, StowSettings | HttpSettings):
            yield f"peer {receiver.name}", "sender", urlsplit(receiver.url).hostname or "", Health.FAIL
        if isinstance(receiver, PeerSettings) and receiver.commitment:
            # Many archives answer over the association that asked; then nobody calls.
            yield f"commitment of {receiver.name}", "watcher", receiver.host, Health.CHECK
    if settings.worklist.host:
        yield "worklist", "worklist", settings.worklist.host, Health.FAIL


def running_filter(process: str, data: Path) -> UnitFilter | None:
    """The filter of the unit that runs `process` on `data`; None where no such unit runs."""
    if shutil.which("systemctl") is None:
        return None
    for unit in (f"scanside-{process}", SLOTS):
        command = ["systemctl", "show", *(f"--property={name}" for name in ASKED), f"{unit}.service"]
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        except (OSError, subprocess.TimeoutExpired):
            return None
        found = read_filter(unit, said.stdout, data)
        if found is not None:
            return found
    return None


def read_filter(unit: str, said: str, data: Path) -> UnitFilter | None:
    """What `systemctl show` said of a unit; None where it does not run, or on another data folder."""
    values = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    if values.get("ActiveState") != "active" or f"--data {data} " not in values.get("ExecStart", ""):
        return None
    allowed, denied = (_networks(values.get(name, "")) for name in ("IPAddressAllow", "IPAddressDeny"))
    return UnitFilter(unit=unit, allowed=allowed, denied=denied)


def _networks(words: str) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(word, strict=False) for word in words.split())


def _addresses(host: str) -> tuple[str, ...]:
    """Where the name leads; nothing where it leads nowhere, which the question itself tells."""
    if not host:
        return ()
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def _closed(subject: str, health: Health, unit: UnitFilter, words: str, address: str) -> Diagnosis:
    return Diagnosis(
        subject=f"{subject}: filter",
        health=health,
        found=f"the unit {unit.unit} {words}",
        remedy=f"Put [Service] and IPAddressAllow={address} into /etc/systemd/system/{unit.unit}.service.d/"
        "neighbour.conf, then sudo systemctl daemon-reload and restart.",
    )
