# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The sender's other half: committed results become objects in the results folder, and rows for receivers."""

from __future__ import annotations

from pathlib import Path

from appliance.config import Settings
from appliance.durable import write_durably
from appliance.layout import Layout
from appliance.outputs.catalogue import messages
from appliance.outputs.rendering import render_everything
from appliance.store.connection import Database
from appliance.store.landing import Landings
from appliance.store.outbox import Outbox, Render
from appliance.store.results import Results


class Renderer:
    """Works off what the outbox wants rendered, one at a time."""

    def __init__(self, *, settings: Settings, layout: Layout, database: Database) -> None:
        self._layout = layout
        self._outbox = Outbox(database)
        self._landings = Landings(database)
        self._results = Results(database)
        self._receivers = tuple(receiver for receiver in settings.sender.receivers if receiver.results)
        endings = {end for receiver in self._receivers for end in receiver.wanted}
        self._messages = messages(endings, settings=settings, layout=layout)

    def step(self) -> bool:
        """Render the next result. False: there is none."""
        render = self._outbox.next_render()
        if render is None:
            return False
        self._render(render)
        return True

    def _render(self, render: Render) -> None:
        """Write the result's objects; one that cannot be made is said, and the next one goes on."""
        acquisition = self._landings.acquisition(render.acquisition_id)
        result = self._results.of(render.acquisition_id, render.version, render.lane)
        if acquisition is None or result is None or acquisition.version != render.version:
            self._outbox.render_failed(render, reason="superseded before it was rendered")
            return
        folder = self._layout.results_of(render.acquisition_id, render.version)
        paths = [self._layout.data / derived.path for derived in result.derived]
        for rendered in render_everything(acquisition, result, messages=self._messages):
            folder.mkdir(parents=True, exist_ok=True)
            write_durably(folder / rendered.file_name, rendered.content)
            paths.append(folder / rendered.file_name)
        self._outbox.rendered(render, deliveries=tuple(self._deliveries(paths)))

    def _deliveries(self, paths: list[Path]) -> list[tuple[Path, str]]:
        """Who gets which file: everybody what they take."""
        return [
            (path, receiver.name)
            for path in paths
            for receiver in self._receivers
            if any(path.name.endswith(end) for end in receiver.wanted)
        ]
