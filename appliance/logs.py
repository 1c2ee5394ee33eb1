# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Logs: one JSON object a line on standard error, and never a patient in it.

Names, identifiers and file names of patients do not belong in a log line. What is logged about an
acquisition is its acquisition_id, which is made by hashing and says nothing.
"""

from __future__ import annotations

import logging
import sys

import structlog


def start_logs(process: str, *, level: int = logging.INFO) -> None:
    """Set logging up for this process. Call once, first thing."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    silence_libraries()


def silence_libraries() -> None:
    """Libraries below us quote headers in their warnings: a patient's name could be in them."""
    logging.captureWarnings(capture=True)
    for library in ("py.warnings", "pydicom", "pynetdicom", "highdicom", "watchdog"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
