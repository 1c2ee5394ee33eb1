# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A lane's result as all the objects that can be made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Refusal
from appliance.domain.job import Lane
from appliance.domain.rejection import Rejection
from appliance.domain.result import LaneResult
from appliance.errors import ScansideError
from appliance.outputs.base import WHOLE_LANE, Output, Rendered
from appliance.outputs.catalogue import renderers

NOT_ANALYSED: Final = "not-analysed-"
"""How the names of objects begin that say that there is no result: one that comes later is another file."""


def render_everything(
    acquisition: Acquisition, result: LaneResult, *, messages: tuple[Output, ...] = ()
) -> Iterator[Rendered]:
    """Every renderer's objects and messages."""
    for renderer in (*renderers(), *messages):
        yield from _guarded(renderer.name, partial(renderer.render, acquisition, result))


def render_note(acquisition: Acquisition, rejection: Rejection) -> Iterator[Rendered]:
    """The rejection note; none where it cannot be made."""
    from appliance.outputs.rejection_note import render_rejection  # noqa: PLC0415  (brings a large library)

    yield from _guarded("rejection_note", lambda: (render_rejection(acquisition, rejection),))


def _guarded(output: str, make: Callable[[], tuple[Rendered, ...]]) -> Iterator[Rendered]:
    """What is made. What cannot be made is said in the log and stops no other object.

    Originals carry headers that no library was written for (a private class, a sex of "0000").
    """
    log = structlog.get_logger()
    try:
        yield from make()
    except ScansideError as error:
        log.warning("not rendered", output=output, reason=error.what)
    except Exception as error:  # one object must not stop all others
        log.error("not rendered", output=output, exc_info=error)


def render_failure(
    acquisition: Acquisition, lane: Lane, *, reason: str, messages: tuple[Output, ...] = ()
) -> Iterator[Rendered]:
    """That this lane came to no result, and why: silence would pass for "nothing found"."""
    result = LaneResult(
        acquisition_id=acquisition.acquisition_id,
        version=acquisition.version,
        lane=lane,
        refusals=(Refusal(task=WHOLE_LANE, reason=reason),),
    )
    for rendered in render_everything(acquisition, result, messages=messages):
        yield replace(rendered, file_name=f"{NOT_ANALYSED}{rendered.file_name}")
