# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Logs: one JSON object a line on standard error, and never a patient in it.

Names, identifiers and file names of patients do not belong in a log line. What is logged about an
acquisition is its acquisition_id, which is made by hashing and says nothing.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator

import structlog
from structlog.typing import EventDict


def start_logs(process: str, *, level: int = logging.INFO) -> None:
    """Set logging up for this process. Call once, first thing."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_words,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    silence_libraries()


def _without_words(_: object, __: str, event: EventDict) -> EventDict:
    """An exception as its kind and the places it came by: its words may quote a header."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["exception"] = [
            line for part in _causes(error) for line in (type(part).__name__, *_places(part))
        ]
    return event


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and so on."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _places(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} {frame.name}"


def silence_libraries() -> None:
    """Libraries below us quote headers in their warnings: a patient's name could be in them."""
    logging.captureWarnings(capture=True)
    for library in ("py.warnings", "pydicom", "pynetdicom", "highdicom", "watchdog"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
