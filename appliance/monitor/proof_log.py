# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The log of the device's tests of itself: one line for each proof, a file for each month, years of them.

`run/` keeps only the last proof. Whoever has to show that the device was watched over months reads this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from appliance.domain.record import from_json, to_json
from appliance.durable import make_folder
from appliance.layout import Layout
from appliance.monitor.proof import PROOFS, read_proof_file

MONTHS_KEPT: Final = 60
"""Five years: about 1 MB a month at a test every ten minutes."""
LONGEST_WORDS: Final = 500
_FILE: Final = re.compile(r"[0-9]{4}-[0-9]{2}\.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedProof:
    """One line."""

    proof: str
    """worker, path: as monitor.proof calls them."""
    at_utc: datetime
    passed: bool
    took_ms: float
    failures: tuple[str, ...]


class ProofLog:
    """Writes down each new proof once. One writer: the monitor."""

    def __init__(self, layout: Layout) -> None:
        self._run = layout.run
        self._folder = layout.proofs
        self._seen: dict[str, datetime] = {}

    def note(self) -> None:
        """Look at the last proofs, and append those that are new. Raises OSError."""
        if not self._seen:
            self._seen = {line.proof: line.at_utc for line in read_log(self._folder)}
        for name in PROOFS:
            found = read_proof_file(self._run, name)
            if found is None or self._seen.get(name) == found.made.at_utc:
                continue
            line = LoggedProof(
                proof=name,
                at_utc=found.made.at_utc,
                passed=found.passed,
                took_ms=found.took_ms,
                failures=tuple(words[:LONGEST_WORDS] for words in found.failures),
            )
            self._append(line)
            self._seen[name] = line.at_utc

    def _append(self, line: LoggedProof) -> None:
        file = self._folder / f"{line.at_utc:%Y-%m}.jsonl"
        if not file.exists():
            make_folder(self._folder)
            for old in _files(self._folder)[: -MONTHS_KEPT + 1]:
                old.unlink()
        with file.open("a", encoding="utf-8") as opened:
            opened.write(f"{to_json(line)}\n")


def read_log(folder: Path) -> Iterator[LoggedProof]:
    """All lines, in the order of writing; one that a power cut has torn is passed over. Raises OSError."""
    for file in _files(folder):
        for text in file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield from_json(LoggedProof, text)
            except ValueError:
                continue


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.jsonl") if _FILE.fullmatch(file.name))
