# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A network that computes when it is asked, in a process of its own (`child`)."""

from __future__ import annotations

import subprocess
import sys

from typing_extensions import Self

from appliance.domain.record import from_json, to_json
from benchmarks.engine_matrix.child import Loaded, Request, Turn


class Child:
    """A child, loaded."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.turns: list[Turn] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.engine_matrix.child", to_json(request)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.loaded = self._first()

    def _first(self) -> Loaded:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return from_json(Loaded, line)
        words = f"loading it ended the process (exit code {self._process.wait()})"
        return Loaded(words="", reason=words, load_s=0.0, resident_bytes=0)

    def begin(self, seconds: float) -> None:
        """Have it compute, and do not wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()

    def turn(self, seconds: float) -> None:
        """Have it compute. One that has ended is left out from then on."""
        assert self._process.stdout is not None
        if self._process.poll() is None:
            self.begin(seconds)
            line = self._process.stdout.readline()
            if line:
                self.turns.append(from_json(Turn, line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.kill()
        self._process.wait()
