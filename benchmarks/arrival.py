# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Copying a study into a watched folder, as modalities and gateways do, and when its last file was closed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock
from benchmarks.studies import Study

SLOW_CHUNKS: Final = 16
SLOW_COPY_S: Final = 0.8
"""A 15 MB radiograph over 150 Mbit/s."""


def rename_in(study: Study, inbox: Path, clock: Clock, *, per_s: float | None = None) -> int:
    """Write every file beside and rename it into place. Returns the time before the last rename, ns.

    `per_s`: so many files a second; None: as fast as the disk takes them.
    """
    start_ns = at_ns = clock.monotonic_ns()
    for number, path in enumerate(study.files):
        part = inbox / f"{path.name}.part"
        shutil.copyfile(path, part)
        if per_s is not None:
            due_ns = start_ns + round(number / per_s * NS_PER_S)
            clock.sleep(max(0, due_ns - clock.monotonic_ns()) / NS_PER_S)
        at_ns = clock.monotonic_ns()
        part.rename(inbox / path.name)
    return at_ns


def copy_slowly(study: Study, inbox: Path, clock: Clock) -> int:
    """Write every file under its final name, chunk by chunk. Returns the time before the last close, ns."""
    at_ns = clock.monotonic_ns()
    for path in study.files:
        content = path.read_bytes()
        step = -(-len(content) // SLOW_CHUNKS)
        with (inbox / path.name).open("wb") as file:
            for begin in range(0, len(content), step):
                file.write(content[begin : begin + step])
                file.flush()
                clock.sleep(SLOW_COPY_S / SLOW_CHUNKS)
            at_ns = clock.monotonic_ns()
    return at_ns
