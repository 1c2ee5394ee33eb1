# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The sender's part in the test exam: its objects are rendered, and put on a shelf instead of sent."""

from __future__ import annotations

import shutil
from types import TracebackType
from typing import Final

from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.durable import PART_SUFFIX
from appliance.layout import Layout
from appliance.processes.proof_store import RECEIVER, ProofStore, path_settings
from appliance.processes.rendering import Renderer
from appliance.store.connection import Database
from appliance.store.outbox import Outbox

LOOK_INTERVAL_S: Final = 0.2
PATIENCE_S: Final = 10.0
"""While patients' results wait, the test exam waits; but not longer than this."""
SHELF: Final = "received"
"""Folder of what has arrived: no address, no network, nobody else."""


class ProofShelf:
    """Works the test exam's own outbox off. A context manager; one thread."""

    def __init__(self, settings: Settings, layout: Layout, clock: Clock) -> None:
        self._settings = path_settings(settings)
        self._clock = clock
        self._store = ProofStore(layout, clock, opened=self._build)
        self._shelf = self._store.layout.data / SHELF
        self._looked_ns = clock.monotonic_ns()

    def _build(self, database: Database) -> None:
        self._outbox = Outbox(database)
        self._renderer = Renderer(settings=self._settings, layout=self._store.layout, database=database)

    def step(self, *, busy: bool) -> bool:
        """Work off what waits. False: nothing did. Never raises what would stop the sender."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._looked_ns < (PATIENCE_S if busy else LOOK_INTERVAL_S) * NS_PER_S:
            return False
        self._looked_ns = now_ns
        worked = False
        try:
            while self._store.ready() and (self._renderer.step() or self._deliver()):
                worked = True
        except Exception as error:  # noqa: BLE001  a test exam that stumbles has failed; the sender goes on
            self._store.trouble(error)
        return worked

    def _deliver(self) -> bool:
        send = self._outbox.next_send(RECEIVER)
        if send is None:
            return False
        self._shelf.mkdir(parents=True, exist_ok=True)
        part = self._shelf / (send.path.name + PART_SUFFIX)
        shutil.copyfile(send.path, part)
        part.replace(self._shelf / send.path.name)
        self._outbox.sent(send)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()
