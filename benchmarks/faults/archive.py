# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A real archive to send to: dcmtk's storescp."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.appliance_run import free_port


@contextmanager
def storescp(folder: Path) -> Iterator[int]:
    """A real archive: a file per SOPInstanceUID, so what came twice under one name is there once."""
    program = shutil.which("storescp")
    if program is None:
        raise RuntimeError("storescp is not installed (Debian package dcmtk)")
    port = free_port()
    server = subprocess.Popen(
        [program, "+xa", "-aet", "ARCHIVE", "-od", str(folder), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        server.terminate()
        server.wait()
