# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The sender's other half: results and decisions become objects on the disk, and rows for receivers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.job import Lane
from appliance.domain.rejection import Rejection
from appliance.durable import make_folder, write_durably
from appliance.layout import Layout
from appliance.outputs.base import Rendered
from appliance.outputs.catalogue import messages
from appliance.outputs.rendering import render_everything, render_failure, render_note
from appliance.store.connection import Database
from appliance.store.decisions import Decisions
from appliance.store.landing import Landings
from appliance.store.outbox import Outbox, Render, RenderNote
from appliance.store.results import Results


class Renderer:
    """Works off what the outbox wants rendered, one at a time."""

    def __init__(self, *, settings: Settings, layout: Layout, database: Database) -> None:
        self._layout = layout
        self._outbox = Outbox(database)
        self._landings = Landings(database)
        self._results = Results(database)
        self._decisions = Decisions(database)
        self._notes_wanted = settings.sender.rejection_notes
        self._receivers = tuple(receiver for receiver in settings.everybody if receiver.results)
        endings = {end for receiver in self._receivers for end in receiver.wanted}
        self._messages = messages(endings, settings=settings, layout=layout)

    def step(self) -> bool:
        """Render the next result or rejection note. False: there is none."""
        render = self._outbox.next_render()
        if render is None:
            return False
        if isinstance(render, RenderNote):
            self._render_note(render)
        else:
            self._render(render)
        return True

    def _render(self, render: Render) -> None:
        """Write the result's objects; one that cannot be made is said, and the next one goes on."""
        acquisition = self._landings.acquisition(render.acquisition_id)
        if acquisition is None or acquisition.version != render.version:
            self._outbox.render_failed(render, reason="superseded before it was rendered")
            return
        result = self._results.of(render.acquisition_id, render.version, render.lane)
        if result is not None:
            made = [self._layout.data / derived.path for derived in result.derived]
            objects = render_everything(acquisition, result, messages=self._messages)
        else:
            reason = self._results.failure(render.acquisition_id, render.version, render.lane)
            if reason is None:
                self._outbox.render_failed(render, reason="superseded: it is being analysed again")
                return
            made = []
            objects = render_failure(acquisition, render.lane, reason=reason, messages=self._messages)
        paths = made + self._write(acquisition, objects)
        self._outbox.rendered(render, deliveries=tuple(self._deliveries(paths)))

    def _render_note(self, render: RenderNote) -> None:
        """Write the note of a decision that still stands; its images are those of the acquisition now."""
        acquisition = self._landings.acquisition(render.acquisition_id)
        decision = self._decisions.of(render.decision_id)
        if acquisition is None or decision is None:
            self._outbox.render_failed(render, reason="superseded before it was rendered")
            return
        if not self._notes_wanted:
            self._outbox.render_failed(render, reason="no rejection notes: sender.rejection_notes is off")
            return
        quality = self._results.of(render.acquisition_id, decision.version, Lane.QUALITY)
        rejection = Rejection(
            decision_id=render.decision_id,
            reason=decision.reason,
            decided_at_utc=datetime.fromisoformat(decision.decided_at_utc),
            checks=() if quality is None else quality.quality,
        )
        paths = self._write(acquisition, render_note(acquisition, rejection))
        if paths:
            self._outbox.rendered(render, deliveries=tuple(self._deliveries(paths)))
        else:
            self._outbox.render_failed(render, reason="the rejection note could not be made: see the log")

    def _write(self, acquisition: Acquisition, objects: Iterable[Rendered]) -> list[Path]:
        folder = self._layout.results_of(acquisition.acquisition_id, acquisition.version)
        paths = []
        for rendered in objects:
            make_folder(folder)
            write_durably(folder / rendered.file_name, rendered.content)
            paths.append(folder / rendered.file_name)
        return paths

    def _deliveries(self, paths: list[Path]) -> list[tuple[Path, str]]:
        """Who gets which file: everybody what they take."""
        return [
            (path, receiver.name)
            for path in paths
            for receiver in self._receivers
            if any(path.name.endswith(end) for end in receiver.wanted)
        ]
