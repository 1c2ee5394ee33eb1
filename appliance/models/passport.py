# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The passport: what an engine showed with a model, in one precision, on this device. Without it, no service.

Compiling a graph can end the process (a known float32 compile of a quantised network does), so the first
meeting of an engine and a model happens in a child. It loads the model, runs the golden inputs, compares
numbers and decisions with the golden float32 outputs, and takes the time. A passport that was passed is
kept and believed as long as nothing it depends on has changed; a failure is not kept: it may have been the
machine's mood.
"""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock, SystemClock
from appliance.domain.record import from_json, to_json
from appliance.durable import write_whole
from appliance.engines.catalogue import engine_device_key, engine_version
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError
from appliance.models.bundle import Bundle
from appliance.models.candidate import GPU_ENGINES, Candidate
from appliance.models.passport_file import passport_file

CHILD_TIMEOUT_S: Final = 120.0
"""A compile takes 0.1 to 3 s on two cores (measured); forty times that is not coming back."""
BUILD_TIMEOUT_S: Final = 900.0
"""For engines that build a plan on the device: a builder times thousands of kernels, on a small device for
minutes."""
ALIVE_INTERVAL_S: Final = 1.0
"""How often whoever waits may show life."""
_CPU_INFO: Final = Path("/proc/cpuinfo")


def _still_here() -> None:
    """For those who have nobody to show life to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassportRequest:
    """What the child is to do."""

    bundle: str
    """Its folder."""
    sums_sha256: str
    """The bundle that was verified, down to the last byte."""
    engine: str
    precision: str
    threads: int
    cache: str | None = None
    """Folder in which an engine keeps the plans that it builds."""
    server: InferenceServer | None = None
    """For the engine `remote`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passport:
    """What was found. None: it did not come so far, or the device does not tell."""

    task: str
    model: str
    """`task@version`."""
    engine: str
    precision: str
    """"fp32", "fp16" or "int8": the graph that was loaded."""
    threads: int
    words: str
    """Engine, precision and device, in the engine's own words; empty when it did not load."""
    device: str
    """Where the engine says that it computes; empty when it did not load."""
    processor: str
    device_key: str
    """Driver and card, where the engine tells them."""
    libraries: Mapping[str, str]
    """Name to version: Python, numpy, onnx and the engine."""
    made_at_utc: str
    passed: bool
    reason: str | None = None
    """Why not."""
    worst_output: str | None = None
    worst_difference: float | None = None
    """Largest absolute difference to the golden float32 output, in the output's own unit."""
    tolerance: float | None = None
    """What was allowed there."""
    decisions: int | None = None
    """On the golden images; None for a model that decides nothing."""
    flipped: int | None = None
    open_decisions: int | None = None
    """Left out: float32 itself leaves them open."""
    runs: int = 0
    """That were timed, one image each."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    joules: float | None = None
    """Of the whole processor package, per run; None: this device does not tell."""

    @property
    def candidate(self) -> Candidate:
        """Whose passport it is."""
        return Candidate(engine=self.engine, precision=self.precision)


def cpu_model() -> str:
    """The processor as Linux names it; compiled code is for this one."""
    try:
        for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def library_versions(engine: str) -> dict[str, str]:
    """What a measurement depends on. Raises EngineError when the engine is not installed."""
    return {
        "python": platform.python_version(),
        "numpy": installed_version("numpy"),
        "onnx": installed_version("onnx"),
        engine: engine_version(engine),
    }


def _file(
    bundle: Bundle, candidate: Candidate, *, threads: int, cache: Path, server: InferenceServer | None
) -> Path:
    """Named by everything that makes a passport valid."""
    return cache / passport_file(
        bundle,
        candidate,
        engine=(engine_version(candidate.engine), engine_device_key(candidate.engine)),
        threads=threads,
        processor=cpu_model(),
        server=server,
    )


def kept_passport(
    bundle: Bundle, candidate: Candidate, *, threads: int, cache: Path, server: InferenceServer | None = None
) -> Passport | None:
    """The passport that was passed earlier under the same conditions, or None."""
    try:
        text = _file(bundle, candidate, threads=threads, cache=cache, server=server).read_text(
            encoding="utf-8"
        )
        passport = from_json(Passport, text)
    except (OSError, ValueError, EngineError):
        return None
    return passport if passport.passed and passport.candidate == candidate else None


def make_passport(
    bundle: Bundle,
    candidate: Candidate,
    *,
    threads: int,
    cache: Path,
    timeout_s: float | None = None,
    alive: Callable[[], None] = _still_here,
    server: InferenceServer | None = None,
) -> Passport:
    """Test the candidate in a child process. What passes is kept; what fails withdraws what was kept before.

    `alive` is called about every second while the child works.
    """
    if timeout_s is None:
        timeout_s = BUILD_TIMEOUT_S if candidate.engine in GPU_ENGINES else CHILD_TIMEOUT_S
    clock = SystemClock()
    request = PassportRequest(
        bundle=str(bundle.folder),
        sums_sha256=bundle.sums_sha256,
        engine=candidate.engine,
        precision=candidate.precision,
        threads=threads,
        cache=str(cache),
        server=server,
    )
    try:
        file = _file(bundle, candidate, threads=threads, cache=cache, server=server)
        passport = _tested(request, timeout_s=timeout_s, alive=alive, clock=clock)
    except EngineError as error:  # it is not installed, or its device is not there: nothing can be kept of it
        return failed_passport(bundle, candidate, error.what, threads=threads, clock=clock)
    except _Untold as untold:
        passport = failed_passport(bundle, candidate, untold.reason, threads=threads, clock=clock)
    with suppress(OSError):  # a full disk: it holds all the same, and is made anew at the next start
        if passport.passed:
            cache.mkdir(parents=True, exist_ok=True)
            write_whole(file, to_json(passport).encode("utf-8"))
        else:
            file.unlink(missing_ok=True)
    return passport


class _Untold(Exception):  # noqa: N818  (no error of anybody: the child said nothing, and this is why)
    """The child gave no passport."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _tested(
    request: PassportRequest, *, timeout_s: float, alive: Callable[[], None], clock: Clock
) -> Passport:
    """What the child found. Raises _Untold when it did not live to say it."""
    try:
        code, output, complaints = _run_child(request, timeout_s=timeout_s, alive=alive, clock=clock)
        if code != 0:
            raise _Untold(_ended(code, complaints))
        return from_json(Passport, output.splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        raise _Untold(f"it did not finish in {timeout_s:g} s") from error
    except (OSError, ValueError, IndexError) as error:
        raise _Untold(f"its test could not be run ({error})") from error


def _run_child(
    request: PassportRequest, *, timeout_s: float, alive: Callable[[], None], clock: Clock
) -> tuple[int, str, str]:
    """Exit code, standard output, standard error.

    Raises subprocess.TimeoutExpired; whatever ends this call ends the child.
    """
    started_ns = clock.monotonic_ns()
    with subprocess.Popen(
        [sys.executable, "-m", "appliance.models.proving", to_json(request)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as child:
        try:
            while True:
                left_s = timeout_s - (clock.monotonic_ns() - started_ns) / NS_PER_S
                try:
                    output, complaints = child.communicate(timeout=max(min(ALIVE_INTERVAL_S, left_s), 0.0))
                except subprocess.TimeoutExpired:
                    if left_s <= ALIVE_INTERVAL_S:
                        raise
                    alive()
                else:
                    return child.returncode, output, complaints
        except BaseException:
            child.kill()
            child.communicate()
            raise


def _ended(code: int, stderr: str) -> str:
    if code < 0:
        return f"loading it ended the process ({signal.Signals(-code).name})"
    last = stderr.strip().splitlines()
    return f"its test failed with exit code {code}: {last[-1] if last else 'no message'}"


def failed_passport(
    bundle: Bundle, candidate: Candidate, reason: str, *, threads: int, clock: Clock
) -> Passport:
    """That of a candidate which never came to be tested."""
    return Passport(
        task=bundle.card.task,
        model=bundle.card.identity,
        engine=candidate.engine,
        precision=candidate.precision,
        threads=threads,
        words="",
        device="",
        processor=cpu_model(),
        device_key="",
        libraries={},
        made_at_utc=clock.now_utc().isoformat(),
        passed=False,
        reason=reason,
    )
