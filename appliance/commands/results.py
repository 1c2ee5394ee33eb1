# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside results`: what the store holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from appliance.clock import SystemClock
from appliance.commands.lines import say_lines
from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words
from appliance.domain.result import LaneResult
from appliance.layout import Layout


def results(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """One line per acquisition and per file that gave none, in order of arrival.

    Works while the appliance runs, and after it has stopped. With --json the lines have the same form as
    those of `scanside process` (docs/json.md); nothing is left out, and no line carries a patient's name.
    """
    with errors_in_words():
        say_lines(stored_lines(Layout(data=data.resolve())), as_json=as_json)


def stored_lines(layout: Layout, *, wanted: Callable[[str], bool] | None = None) -> Iterator[dict[str, Any]]:
    """The lines of everything in a store, or of the acquisitions whose id is wanted.

    Raises StoreError when there is none.
    """
    from appliance.pipeline.report import (  # noqa: PLC0415  (--help stays quick)
        AcquisitionReport,
        acquisition_line,
        set_aside_line,
    )
    from appliance.store.board import Board  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
        board = Board(database)
        for entry in board.every_entry():
            if wanted is not None and not wanted(entry.acquisition_id):
                continue
            lanes = entry.lanes
            lane_results = tuple(lane.result for lane in lanes if lane.result)
            yield acquisition_line(
                AcquisitionReport(
                    files=board.sources(entry.acquisition_id),
                    acquisition_id=entry.acquisition_id,
                    version=entry.version,
                    first=entry.first,
                    kind=entry.kind,
                    completeness=entry.completeness,
                    evidence=entry.evidence,
                    states=tuple((lane.state, lane.reason) for lane in lanes),
                    results=lane_results,
                    data=layout.data,
                    outputs=_outputs(layout.results_of(entry.acquisition_id, entry.version), lane_results),
                    committed_ms={
                        lane.lane.value: lane.landed_to_committed_ms
                        for lane in lanes
                        if lane.landed_to_committed_ms is not None
                    },
                )
            )
        for aside in reversed(board.set_aside()) if wanted is None else ():
            yield set_aside_line(file=aside.source, status=aside.status, reason=aside.reason)


def _outputs(folder: Path, lane_results: tuple[LaneResult, ...]) -> tuple[str, ...]:
    """The objects that were made of these results so far: what a renderer wrote is named after its lane."""
    return tuple(
        str(path) for result in lane_results for path in sorted(folder.glob(f"*-{result.lane.value}.dcm"))
    )
