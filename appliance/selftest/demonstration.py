# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: synthetic studies through the real appliance, in a data folder of their own."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import Clock
from appliance.config import SETTINGS_FILE_NAME
from appliance.domain.acquisition import Completeness
from appliance.domain.job import JobState
from appliance.errors import ConfigError, ScansideError, StoreError
from appliance.layout import Layout
from appliance.selftest.demo_studies import DemoStudy, write_demo_studies
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.outbox import Outbox

MARKER: Final = ".scanside-demonstration"
"""Only a folder with this file in it is ever cleared."""
KEPT: Final = frozenset({MARKER, "engines", "studies"})
"""What the same version finds again: the proofs of the models on this device, and the studies."""
PATIENCE_S: Final = 180.0
"""The first run on a device also proves every model on every engine."""
LOOK_INTERVAL_S: Final = 0.1
SERIES_QUIET_S: Final = 3.0
"""The studies are all copied within a second: no need to wait for stragglers as long as at a scanner."""

Progress = Callable[[str, int, int], None]
"""Called with a word for what happens, how much of it is done, and how much there is."""


class DemonstrationError(ScansideError):
    """The appliance did not answer. Its log says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What came of it."""

    layout: Layout
    studies: tuple[DemoStudy, ...]
    log: Path


def show(data: Path, *, clock: Clock, progress: Progress) -> Shown:
    """Write the studies, start the appliance, copy them into its inbox, wait for every answer, stop it.

    Raises ConfigError when `data` holds something else, DemonstrationError when answers do not come.
    """
    layout = clear_folder(data)
    progress("drawing the studies", 0, 1)
    studies = write_demo_studies(layout.data / "studies")
    log = layout.data / "appliance.log"
    with running(layout, log):
        for study in studies:
            shutil.copytree(study.folder, layout.inbox / study.folder.name)
        _wait_for_answers(layout, log, count=len(studies), clock=clock, progress=progress)
    return Shown(layout=layout, studies=studies, log=log)


def clear_folder(data: Path) -> Layout:
    """An empty data folder. What an earlier demonstration left is removed; anything else is refused."""
    data = data.resolve()
    if data.exists() and any(data.iterdir()):
        if not (data / MARKER).exists():
            raise ConfigError(
                f"{data} holds something that is not a demonstration.",
                remedy="Name another folder with --data; this one is left as it is.",
            )
        for entry in data.iterdir():
            if entry.name not in KEPT or (data / MARKER).read_text(encoding="utf-8") != _made_by():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    layout = Layout(data=data)
    layout.create()
    (data / MARKER).write_text(_made_by(), encoding="utf-8")
    return layout


def is_demonstration(data: Path) -> bool:
    """Whether everybody in this data folder is invented."""
    return (data / MARKER).exists()


def _made_by() -> str:
    version = importlib.metadata.version("scanside")
    return f"Made by scanside demo {version}; the folder may be removed.\n"


@contextmanager
def running(layout: Layout, log: Path) -> Iterator[None]:
    """`scanside run` as a person would start it, on a free DICOM port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        # Never the settings of the device: drawn patients would leave for its receivers.
        **{name: value for name, value in os.environ.items() if name != SETTINGS_FILE_NAME},
        "SCANSIDE__LISTENER__PORT": str(port),
        "SCANSIDE__INTAKE__SERIES_QUIET_S": str(SERIES_QUIET_S),
    }
    command = [sys.executable, "-m", "appliance", "run", "--data", str(layout.data)]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output) as running,
    ):
        try:
            yield
        finally:
            running.send_signal(signal.SIGTERM)


def _wait_for_answers(layout: Layout, log: Path, *, count: int, clock: Clock, progress: Progress) -> None:
    deadline_ns = clock.monotonic_ns() + round(PATIENCE_S * 1e9)
    while clock.monotonic_ns() < deadline_ns:
        settled = _settled(layout, clock)
        progress("the appliance at work", min(settled, count), count)
        if settled >= count:
            return
        clock.sleep(LOOK_INTERVAL_S)
    raise DemonstrationError(
        f"After {PATIENCE_S:.0f} s {_settled(layout, clock)} of {count} studies have an answer.",
        remedy=f"See {log}, and run `scanside doctor`.",
    )


def _settled(layout: Layout, clock: Clock) -> int:
    """How many acquisitions have all their lanes done; none of them while objects are still being written."""
    try:
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            open_states = {JobState.QUEUED, JobState.LEASED}
            settled = sum(
                entry.completeness is not Completeness.RECEIVING
                and all(lane.state not in open_states for lane in entry.lanes)
                for entry in Board(database).every_entry()
            )
            rendered = Outbox(database).next_render() is None
    except StoreError:  # the appliance is still making it
        return 0
    return settled if rendered else settled - 1
