# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The process that is fuzzed in: one target, many inputs, within the memory that the jail has.

`python -m benchmarks.faults.fuzz_child TARGET FOLDER RUNS SEED [guided]`. libFuzzer (through atheris) chooses
the inputs and keeps those that reach new code in FOLDER/corpus/TARGET; what it finds goes to FOLDER/found.
The number of executions stands in FOLDER/count, whatever ends this process.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import resource
import struct
import sys
import tempfile
import traceback
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import atheris  # type: ignore[import-untyped]  # ships no stubs

from benchmarks.faults.plain_words import faults_of

MEMORY_BYTES: Final = 2 * 1024**3
"""`reading.memory_bytes` as shipped."""
LONGEST_INPUT_BYTES: Final = 32 * 1024
TIMEOUT_S: Final = 25
"""`reading.parse_timeout_s` and `reading.decode_timeout_s`: what takes longer, the keeper would kill."""
SHARE_OF_FORMAT: Final = 3
"""Of so many damages of a DICOM input, all but one know its elements."""
INSTRUMENTED: Final = ["pydicom", "appliance.intake", "appliance.courier", "appliance.monitor.reports"]


class Fuzzed:
    """What libFuzzer calls."""

    def __init__(self, name: str, aim: Any, folder: Path, counter: mmap.mmap) -> None:
        self._name = name
        self._aim = aim
        self._folder = folder
        self._counter = counter
        self._count = 0

    def one_input(self, data: bytes) -> None:
        """Run the target once; what it raises, and reasons that nobody understands, are kept."""
        self._count += 1
        struct.pack_into("<Q", self._counter, 0, self._count)
        try:
            said = list(self._aim.run(data))
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._keep(data, f"raised-{type(error).__name__}-{where.name}", traceback.format_exc())
            return
        for what, remedy in said:
            faults = faults_of(what, remedy)
            if faults:
                self._keep(data, f"words-{faults[0]}", f"{faults}: {what} {remedy}")

    def _keep(self, data: bytes, kind: str, words: str) -> None:
        """One input of each kind."""
        name = hashlib.sha256(f"{self._name} {kind}".encode()).hexdigest()[:12]
        found = self._folder / f"{self._name}-{name}"
        if not found.with_suffix(".txt").exists():
            found.with_suffix(".bin").write_bytes(data)
            found.with_suffix(".txt").write_text(f"{kind}\n{words}\n", encoding="utf-8", errors="replace")


def main(arguments: list[str]) -> None:
    """See the module."""
    name, where, runs, seed = arguments[:4]
    folder = Path(where)
    guide = atheris.instrument_imports(include=INSTRUMENTED) if "guided" in arguments else nullcontext()
    with guide:
        from benchmarks.faults.fuzz_mutation import damaged  # noqa: PLC0415  (after the instruments)
        from benchmarks.faults.fuzz_targets import TARGETS  # noqa: PLC0415
    aim = TARGETS[name]
    corpus, found = folder / "corpus" / name, folder / "found"
    for each in (corpus, found):
        each.mkdir(parents=True, exist_ok=True)
    if not any(corpus.iterdir()):
        with tempfile.TemporaryDirectory() as made:
            for index, content in enumerate(aim.seeds(Path(made))):
                (corpus / f"seed-{index:02d}").write_bytes(content)
    counter = _counter(folder / "count")

    def mutated(data: bytes, most: int, number: int) -> bytes:
        if number % SHARE_OF_FORMAT:
            return damaged(data, number, most)
        changed: bytes = atheris.Mutate(data, most)
        return changed

    _quiet()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    fuzzed = Fuzzed(name, aim, found, counter)
    options = {
        "runs": runs,
        "seed": seed,
        "max_len": LONGEST_INPUT_BYTES,
        "timeout": TIMEOUT_S,
        "artifact_prefix": f"{found}/{name}-",
        "rss_limit_mb": 0,  # the limit is the one above, as in the jail
        "verbosity": 0,
    }
    command = [sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(corpus)]
    atheris.Setup(command, fuzzed.one_input, **({"custom_mutator": mutated} if aim.is_dicom else {}))
    atheris.Fuzz()


def _counter(path: Path) -> mmap.mmap:
    path.write_bytes(bytes(8))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), 8)


def _quiet() -> None:
    """As in the jail: what libraries say about a header goes nowhere."""
    import pydicom.config  # noqa: PLC0415
    import structlog  # noqa: PLC0415

    warnings.simplefilter("ignore")
    logging.disable()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


if __name__ == "__main__":
    main(sys.argv[1:])
