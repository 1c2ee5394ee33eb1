# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a morning: the real appliance on a folder of its own, and files for its inbox as time goes by."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.clock import Clock
from appliance.layout import Layout
from appliance.selftest.demo_morning import Arrival, morning, write_arrival
from appliance.selftest.demonstration import clear_folder, running

LOG: Final = "appliance.log"
ROWS_DRAWN: Final = 2000
"""Of the radiographs: half the work of the full size, and finer than any screen."""


@contextmanager
def playing(data: Path, *, profile: str, speed: float, clock: Clock) -> Iterator[Layout]:
    """The morning of `profile` in `data`, `speed` times as fast, until the block is left.

    The appliance ends with the block. Raises ConfigError when `data` holds something else.
    """
    layout = clear_folder(data)
    ends = threading.Event()
    deliveries = threading.Thread(
        target=_deliver, args=(layout, morning(profile), speed, clock, ends), name="demonstration"
    )
    with running(layout, layout.data / LOG):
        deliveries.start()
        try:
            yield layout
        finally:
            ends.set()
            deliveries.join()


def _deliver(
    layout: Layout, arrivals: tuple[Arrival, ...], speed: float, clock: Clock, ends: threading.Event
) -> None:
    """Each arrival is drawn when it is due, beside the others' answers."""
    for arrival in arrivals:
        if ends.wait(arrival.after_s / speed):
            return
        drawn = layout.data / "studies" / arrival.folder
        shutil.rmtree(drawn, ignore_errors=True)
        write_arrival(arrival, drawn, now=clock.now_utc().astimezone(), rows=ROWS_DRAWN)
        shutil.copytree(drawn, layout.inbox / arrival.folder)
