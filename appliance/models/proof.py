# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The proof that an engine computes a model rightly on this device, made where a crash does no harm.

Compiling a graph can end the process (a known float32 compile of a quantised network does), so the first
meeting of an engine and a model happens in a child. It loads the model, runs the golden inputs and
compares with the golden outputs. A proof that was passed is kept and believed as long as nothing it
depends on has changed; a failure is not kept: it may have been the machine's mood.
"""

from __future__ import annotations

import hashlib
import platform
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.domain.record import from_json, to_json
from appliance.engines.catalogue import REMOTE, engine_version
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError
from appliance.models.bundle import FP32, Bundle

CHILD_TIMEOUT_S: Final = 120.0
"""A compile takes 0.1 to 3 s on two cores (measured); forty times that is not coming back."""
_CPU_INFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRequest:
    """What the child is to do."""

    bundle: str
    engine: str
    threads: int
    server: InferenceServer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the child found."""

    task: str
    model: str
    """`task@version`."""
    engine: str
    words: str
    """The engine as it describes itself; empty when it did not load."""
    passed: bool
    reason: str | None
    """Why not."""
    worst_difference: float | None
    """Largest absolute difference to the golden outputs, in the output's own unit."""
    tolerance: float | None
    """What was allowed there."""
    p50_ms: float | None
    """Median time of one run on one image."""
    p95_ms: float | None


def cpu_model() -> str:
    """The processor as Linux names it; compiled code is for this one."""
    try:
        for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def _file(bundle: Bundle, engine: str, *, threads: int, cache: Path, server: InferenceServer | None) -> Path:
    """Named by everything that makes a proof valid."""
    where = server.address if server is not None and engine == REMOTE else ""
    parts = (
        bundle.sums_sha256,
        bundle.model_sha256[FP32],
        engine,
        engine_version(engine),
        str(threads),
        cpu_model(),
        where,
    )
    key = hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
    return cache / f"proof-{bundle.card.task}-{engine}-{key[:32]}.json"


def kept_proof(
    bundle: Bundle, engine: str, *, threads: int, cache: Path, server: InferenceServer | None = None
) -> Proof | None:
    """The proof that was passed earlier under the same conditions, or None."""
    try:
        text = _file(bundle, engine, threads=threads, cache=cache, server=server).read_text(encoding="utf-8")
        proof = from_json(Proof, text)
    except (OSError, ValueError, EngineError):
        return None
    return proof if proof.passed and proof.engine == engine else None


def prove(
    bundle: Bundle,
    engine: str,
    *,
    threads: int,
    cache: Path,
    timeout_s: float = CHILD_TIMEOUT_S,
    server: InferenceServer | None = None,
) -> Proof:
    """Let the engine prove itself in a child process; keep the proof when it is passed."""
    request = ProofRequest(bundle=str(bundle.folder), engine=engine, threads=threads, server=server)
    try:
        file = _file(bundle, engine, threads=threads, cache=cache, server=server)
        child = subprocess.run(
            [sys.executable, "-m", "appliance.models.proving", to_json(request)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
        if child.returncode != 0:
            return _failed(bundle, engine, _ended(child.returncode, child.stderr))
        proof = from_json(Proof, child.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return _failed(bundle, engine, f"it did not finish in {timeout_s:g} s")
    except EngineError as error:
        return _failed(bundle, engine, error.what)
    except (OSError, ValueError, IndexError) as error:
        return _failed(bundle, engine, f"its test could not be run ({error})")
    if proof.passed:
        with suppress(OSError):  # a full disk: it holds all the same, and is made anew at the next start
            cache.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(".part")
            unfinished.write_text(to_json(proof), encoding="utf-8")
            unfinished.replace(file)
    return proof


def _ended(code: int, stderr: str) -> str:
    if code < 0:
        return f"loading it ended the process ({signal.Signals(-code).name})"
    last = stderr.strip().splitlines()
    return f"its test failed with exit code {code}: {last[-1] if last else 'no message'}"


def _failed(bundle: Bundle, engine: str, reason: str) -> Proof:
    return Proof(
        task=bundle.card.task,
        model=bundle.card.identity,
        engine=engine,
        words="",
        passed=False,
        reason=reason,
        worst_difference=None,
        tolerance=None,
        p50_ms=None,
        p95_ms=None,
    )
