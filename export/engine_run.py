# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One run of a graph on an engine, in a child process: compiling a foreign graph may end the process."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.engines.catalogue import engine_names, load_engine
from appliance.errors import EngineError

TIMEOUT_S: Final = 300.0
"""A TensorRT-RTX build takes up to 10 s and other compiles 3 s on two cores (measured); far beyond both."""
NOT_MEASURED: Final = frozenset({"null", "faulty", "remote"})
"""Engines without arithmetic of their own: no answer, a broken one on purpose, another machine's."""
_REFUSED: Final = 3
"""Exit code of a child whose engine said no; its last line of standard error says why."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EngineRun:
    """What came of it: outputs, or the reason why there are none."""

    engine: str
    words: str
    """The engine as it describes itself ("openvino f32 CPU"); its name alone where it did not run."""
    outputs: Arrays | None
    reason: str | None


def local_engines() -> tuple[str, ...]:
    """Every engine that could compute here, installed or not."""
    return tuple(name for name in engine_names() if name not in NOT_MEASURED)


def run_apart(engine: str, model: Path, inputs: Arrays, *, threads: int = 1) -> EngineRun:
    """Run `model` once in a child process. Never raises for what the engine does."""
    with tempfile.TemporaryDirectory(prefix="scanside-run-") as folder:
        given, found = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, **inputs)  # type: ignore[arg-type] # stub: names may clash
        command = [sys.executable, "-m", "export.engine_run", engine, str(model), str(given), str(found)]
        try:
            child = subprocess.run(
                [*command, str(threads)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _none(engine, f"it did not finish in {TIMEOUT_S:g} s")
        if child.returncode != 0:
            last = (child.stderr.strip().splitlines() or ["no message"])[-1]
            what = last if child.returncode == _REFUSED else f"it ended with code {child.returncode}: {last}"
            return _none(engine, what)
        try:
            with np.load(found, allow_pickle=False) as arrays:
                outputs = {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            return _none(engine, f"its answer cannot be read ({error})")
    return EngineRun(engine=engine, words=child.stdout.strip().splitlines()[-1], outputs=outputs, reason=None)


def _none(engine: str, reason: str) -> EngineRun:
    return EngineRun(engine=engine, words=engine, outputs=None, reason=reason)


def main(engine: str, model: str, given: str, found: str, threads: str) -> int:
    """The child: outputs into a file, the engine's own words as the last line of standard output."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # its crash is expected and leaves nothing behind
    with np.load(given, allow_pickle=False) as arrays:
        inputs = {name: arrays[name] for name in arrays.files}
    try:
        with load_engine(engine, Path(model), threads=int(threads)) as loaded:
            outputs = loaded.infer(inputs)
            words = loaded.describe().words
    except EngineError as error:
        sys.stderr.write(f"\n{' '.join(error.what.split())}\n")
        return _REFUSED
    np.savez(found, **outputs)  # type: ignore[arg-type] # stub: names may clash
    sys.stdout.write(f"\n{words}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
