# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Tells systemd that a process is up and alive (sd_notify(3)): one datagram to the socket it names.

On a desk there is no such socket, and nothing is said. Called from main loops only, like the heartbeat: a
watchdog that a helper thread feeds would prove nothing.
"""

from __future__ import annotations

import os
import socket
from typing import Final

SOCKET_NAME: Final = "NOTIFY_SOCKET"
LONGEST_STATUS: Final = 200
"""Characters; one line for `systemctl status`."""


def tell_ready() -> None:
    """The start is over."""
    _tell("READY=1")


def tell_alive(state: str) -> None:
    """The main loop turned. `state`: what it is doing, in words without a patient. Never raises."""
    line = " ".join(state.split())[:LONGEST_STATUS]
    _tell(f"WATCHDOG=1\nSTATUS={line}")


def tell_stopping() -> None:
    """It was told to stop and is finishing."""
    _tell("STOPPING=1")


def _tell(message: str) -> None:
    name = os.environ.get(SOCKET_NAME, "")
    if not name.startswith(("/", "@")):
        return
    address = "\0" + name[1:] if name.startswith("@") else name  # an abstract socket
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.setblocking(False)  # a manager that does not read must not hold us up
            channel.sendto(message.encode("utf-8"), address)
    except OSError:
        return
