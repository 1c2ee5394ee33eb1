# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A real archive to send to: dcmtk's storescp."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def storescp(folder: Path) -> Iterator[int]:
    """A real archive: a file per SOPInstanceUID, so what came twice under one name is there once."""
    program = shutil.which("storescp")
    if program is None:
        raise RuntimeError("storescp is not installed (Debian package dcmtk)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
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
