# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The product's own line in one process that may be stopped, killed or cut at any instant.

    inbox -> Spool.copy -> Lander -> Jobs.lease -> run_lane -> Results.commit -> Renderer -> Outbox

Every step that keeps something is the product's; only the jail is left out (it keeps nothing, and a fault is
wanted in this process, not in a child). What the product has acknowledged is said in a file that lies on
another disk, one line each, before the next thing is begun.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Door, Urgency
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.engines.base import Engine
from appliance.errors import EngineError, InputError
from appliance.intake.claim import Spool
from appliance.intake.complete import Signature
from appliance.intake.description import Description
from appliance.intake.look import describe
from appliance.intake.open_files import OpenFile
from appliance.intake.same_content import same_content
from appliance.layout import Layout
from appliance.models.served import Served
from appliance.pipeline.bench import Bench
from appliance.pipeline.line import run_lane
from appliance.processes.gathering import Gathering
from appliance.processes.lander import Arrival, Fate, Lander
from appliance.processes.rendering import Renderer
from appliance.receivers import PeerSettings, SenderSettings
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.landing import Landings
from appliance.store.outbox import Outbox, Render
from appliance.store.performed import PerformedSteps
from appliance.store.proofs import Proofs
from appliance.store.results import Results

WORKER: Final = "driver"
PEER: Final = "receiver"
MAX_FILE_BYTES: Final = 1 << 26
LEASE_S: Final = 600.0
LANDED_TOGETHER: Final = 4
SETTINGS: Final = Settings(
    sender=SenderSettings(peers=(PeerSettings(name=PEER, host="127.0.0.1", port=104, ae_title="RECEIVER"),))
)
"""Nobody is called at that address: what waits for this receiver is copied into a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a driver is to do."""

    data: Path
    acknowledged: Path
    """Gets a line of JSON for each acknowledgement; on a disk that is not cut."""
    received: Path
    """The receiver's folder; on a disk that is not cut."""
    most_renders: int = -1
    """A structured report takes ten times as long as all else together; negative: all."""


class _Looked:
    def __init__(self, description: Description) -> None:
        self._description = description

    def description(self) -> Description:
        return self._description


class _Reader:
    """Looks into files as the jailed child does, in this process."""

    def begin_describe(self, path: Path, *, sha256: str) -> _Looked:
        del sha256
        return _Looked(describe(path, max_frame_bytes=MAX_FILE_BYTES))

    def same_content(self, one: Path, other: Path) -> bool:
        return same_content(one, other, max_frame_bytes=MAX_FILE_BYTES)


class _Frames:
    """The slices of an acquisition, decoded in this process."""

    def __init__(self, acquisition: Acquisition) -> None:
        self._places = [(acquisition.instances[s.instance].path, s.frame) for s in acquisition.slices]

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[PixelImage]:
        return map(self.frame, range(len(self)))

    def each(self) -> Iterator[PixelImage | InputError]:
        return iter(self)

    def frame(self, index: int) -> PixelImage:
        path, number = self._places[index]
        opened = OpenFile(path, max_frame_bytes=MAX_FILE_BYTES)
        try:
            buffer = bytearray(opened.needed_bytes())
            header = opened.read(number, memoryview(buffer))
        finally:
            opened.close()
        stored = np.frombuffer(bytes(buffer[: header.size_bytes]), header.dtype)
        return header.image(stored.reshape(header.rows, header.columns))


class _NoModels:
    """A device without models: quality control measures, triage refuses."""

    def tasks(self) -> tuple[str, ...]:
        return ()

    def card(self, task: str) -> ModelCard | None:
        del task
        return None

    def served(self, task: str) -> Served:
        raise EngineError(f"There is no model for {task}.", remedy="Install one.")

    def give_up(self, task: str, reason: str, *, engine: Engine | None = None) -> None:
        del task, reason, engine


class Line:
    """The line on one data folder."""

    def __init__(self, order: Order, database: Database) -> None:
        self._order = order
        self._layout = Layout(data=order.data)
        self._clock = SystemClock()
        self._said = os.open(order.acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._landings = Landings(database, peers_for_originals=(PEER,))
        self._gathering = Gathering(
            self._landings, PerformedSteps(database), clock=self._clock, series_quiet_s=0.0
        )
        self._spool = Spool(self._layout, reserve_bytes=0)
        self._lander = Lander(
            proofs=Proofs(database),
            landings=self._landings,
            spool=self._spool,
            describes=_Reader(),
            gathering=self._gathering,
            layout=self._layout,
            clock=self._clock,
        )
        self._jobs = Jobs(database, max_attempts=1_000_000)
        self._results = Results(database)
        self._outbox = Outbox(database)
        self._renders_left = order.most_renders
        self._renderer = Renderer(settings=SETTINGS, layout=self._layout, database=database)

    def run(self) -> None:
        """Everything that lies in the inbox, to its end. Raises ScansideError, OSError."""
        self._spool.sweep()
        self._gathering.resume()
        self._jobs.take_back(worker=WORKER)
        waiting = sorted(self._layout.inbox.iterdir())
        for start in range(0, len(waiting), LANDED_TOGETHER):
            self._land(waiting[start : start + LANDED_TOGETHER])
            while self._answer():
                self._send()
            self._render_some()
        while self._answer() or self._render_some() or self._send():
            pass

    def _render_some(self) -> bool:
        if self._renders_left == 0:
            return False
        self._renders_left -= 1
        return self._render()

    def _land(self, files: Sequence[Path]) -> None:
        arrivals = []
        for file in files:
            part = self._spool.copy(file, Signature.of(file.lstat()), max_bytes=MAX_FILE_BYTES)
            assert part is not None, "nobody else writes here"
            if self._landings.find(part.sha256) is not None:
                self._spool.discard(part)  # what the watcher remembers in its table of settled files
                continue
            arrivals.append(
                Arrival(
                    part=part,
                    door=Door.FOLDER,
                    source=file.name,
                    urgency=Urgency.LIVE,
                    noticed_ns=self._clock.monotonic_ns(),
                    final=True,
                )
            )
        for arrival, outcome in zip(arrivals, self._lander.take(arrivals), strict=True):
            assert outcome.fate in (Fate.ACCEPTED, Fate.REPEATED), outcome
            self._say(landed=arrival.part.sha256)

    def _answer(self) -> bool:
        job = self._jobs.lease(worker=WORKER, lease_s=LEASE_S)
        if job is None:
            return False
        acquisition = self._landings.acquisition(job.acquisition_id)
        assert acquisition is not None
        bench = Bench(models=_NoModels(), clock=self._clock, layout=self._layout, between=lambda: None)
        result = run_lane(job.lane, acquisition, _Frames(acquisition), bench)
        if self._results.commit(job, result):
            self._say(answered=[job.acquisition_id, job.version, job.lane.value])
        return True

    def _render(self) -> bool:
        render = self._outbox.next_render()
        if render is None:
            return False
        self._renderer.step()
        assert isinstance(render, Render), "nobody decides anything here"
        folder = self._layout.results_of(render.acquisition_id, render.version)
        made = {
            str(path.relative_to(self._layout.data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.glob(f"*{render.lane.value}*.dcm"))
        }
        self._say(rendered=render.outbox_id, files=made)
        return True

    def _send(self) -> bool:
        send = self._outbox.next_send(PEER)
        if send is None:
            return False
        content = send.path.read_bytes()
        name = f"{send.path.parent.name}--{send.path.name}"
        (self._order.received / name).write_bytes(content)
        with (self._order.received / "log").open("a", encoding="ascii") as log:
            log.write(f"{name} {hashlib.sha256(content).hexdigest()}\n")
        self._outbox.sent(send)
        self._say(sent=send.outbox_id)
        return True

    def _say(self, **what: Any) -> None:
        os.write(self._said, (json.dumps(what) + "\n").encode())


def drive(order: Order) -> None:
    """Open the store as it is and work everything off."""
    layout = Layout(data=order.data)
    with Database.open(layout.database, data=layout.data, clock=SystemClock()) as database:
        Line(order, database).run()


def warm_up(folder: Path, source: Path) -> None:
    """Do it once where nothing happens, so that libraries are loaded before a fault is counted in calls."""
    order = new_order(folder, [source])
    drive(order)


def new_order(folder: Path, sources: Sequence[Path], *, aside: Path | None = None) -> Order:
    """A data folder with these files in its inbox. `aside`: where what is not cut lies."""
    aside = aside or folder / "aside"
    layout = Layout(data=folder / "data")
    layout.data.mkdir(parents=True)
    layout.create()
    received = aside / "received"
    received.mkdir(parents=True)
    for number, source in zip(itertools.count(), sources):
        shutil.copyfile(source, layout.inbox / f"{number:04d}-{source.name}")
    return Order(data=layout.data, acknowledged=aside / "acknowledged", received=received)
