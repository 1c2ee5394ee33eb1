# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A lane's result as all the objects that can be made of it."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from appliance.domain.acquisition import Acquisition
from appliance.domain.result import LaneResult
from appliance.errors import ScansideError
from appliance.outputs.base import Output, Rendered
from appliance.outputs.catalogue import renderers


def render_everything(
    acquisition: Acquisition, result: LaneResult, *, messages: tuple[Output, ...] = ()
) -> Iterator[Rendered]:
    """Every renderer's objects and messages. One that cannot be made is said in the log and stops no other.

    Originals carry headers that no library was written for (a private class, a sex of "0000").
    """
    for renderer in (*renderers(), *messages):
        log = structlog.get_logger().bind(output=renderer.name, lane=result.lane.value)
        try:
            yield from renderer.render(acquisition, result)
        except ScansideError as error:
            log.warning("not rendered", reason=error.what)
        except Exception as error:  # one object must not stop all others
            log.error("not rendered", exc_info=error)
