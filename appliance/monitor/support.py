# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What somebody needs to help from afar: versions, settings, health, counts, the ends of logs. No patient.

Two walls. What goes in is made of numbers, our own words and lines of our own log, never of headers, file
names or what a receiver answered. And before a part is written it is searched for everything that names a
patient in the store; a part in which anything is found stays out, and that is said.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import platform
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from appliance.clock import Clock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.monitor.diagnosis import Diagnosis
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.proof import read_proof
from appliance.store.audit import Trail
from appliance.store.board import Board
from appliance.store.connection import Database

PROCESSES: Final = ("watcher", "worker", "sender", "signals", "keeper", "kiosk")
LOG_LINES: Final = 2000
"""Of the end of each log: a busy day."""
AUDIT_ROWS: Final = 500
KEPT_WORDS: Final = frozenset(
    {"kind", "profile", "profiles", "language", "engines", "precisions", "security", "ae_title"}
)
"""Settings whose text is told; of any other text only whether there is one."""
SHORTEST_NAME: Final = 4
"""Shorter parts of names stand in too many words to be searched for."""
_LIBRARIES: Final = re.compile(r"^[A-Za-z0-9_.\-]+")
_IDENTIFYING: Final = (
    "$.patient.patient_name",
    "$.patient.patient_id",
    "$.patient.patient_birth_date",
    "$.study_instance_uid",
    "$.series_instance_uid",
    "$.sop_instance_uid",
)
"""What of a stored header names somebody, or leads to somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of the bundle."""

    name: str
    content: str
    left_out: str | None = None
    """Why it is not in the bundle; None: it is."""


def parts_of(
    settings: Settings,
    layout: Layout,
    clock: Clock,
    *,
    diagnoses: Iterable[Diagnosis],
    logs: tuple[Path, ...] = (),
) -> tuple[Part, ...]:
    """Everything that goes in, searched. Raises StoreError when there is a store that cannot be read."""
    made = {
        "versions.json": _text(_versions()),
        "settings.json": _text(told_settings(settings.model_dump(mode="json"))),
        "doctor.json": _text([_diagnosis(one) for one in diagnoses]),
        "processes.json": _text(_processes(layout, clock)),
    }
    for number, log in enumerate(logs, start=1):
        made[f"log-{number}.jsonl"] = "".join(f"{line}\n" for line in own_lines(log))
    names: frozenset[str] = frozenset()
    if layout.database.exists():
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            made["counts.json"] = _text(_counts(database))
            made["audit.jsonl"] = "".join(f"{record}\n" for record in _audit(database))
            names = names_in(database)
    return tuple(_searched(name, content, names) for name, content in made.items())


def bundle_of(parts: tuple[Part, ...]) -> bytes:
    """A zip of the parts that may leave."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for part in parts:
            if part.left_out is None:
                bundle.writestr(part.name, part.content)
    return packed.getvalue()


def told_settings(value: Any, key: str = "") -> Any:
    """Settings without addresses, names, paths and secrets' places: numbers and switches as they are."""
    if isinstance(value, dict):
        return {name: told_settings(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [told_settings(inner, key) for inner in value]
    if isinstance(value, str) and key not in KEPT_WORDS:
        return "(set)" if value else ""
    return value


def own_lines(log: Path) -> list[str]:
    """The last lines that our own log wrote; of anything else only how many there were. Raises OSError."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    own = [line for line in lines if _is_ours(line)]
    return [*own, json.dumps({"lines_of_others_left_out": len(lines) - len(own)})]


def names_in(database: Database) -> frozenset[str]:
    """What names a patient in the store, whole and in parts, in small letters."""
    found: set[str] = set()
    columns = ", ".join(f"json_extract(instance, '{path}')" for path in _IDENTIFYING)
    rows = database.read(f"SELECT DISTINCT {columns} FROM file WHERE instance IS NOT NULL")  # noqa: S608
    for row in rows:
        for value in row:
            if isinstance(value, str):
                found.update(parts for parts in (value, *re.split(r"[\^=\s]+", value)))
    return frozenset(name.lower() for name in found if len(name) >= SHORTEST_NAME)


def _searched(name: str, content: str, names: frozenset[str]) -> Part:
    small = content.lower()
    hits = sum(one in small for one in names)
    if hits:
        return Part(name=name, content="", left_out=f"{hits} names or numbers of patients were found in it")
    return Part(name=name, content=content)


def _is_ours(line: str) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and {"event", "level", "timestamp"} <= entry.keys()


def _versions() -> dict[str, Any]:
    wanted = importlib.metadata.requires("scanside") or []
    names = {match[0] for line in wanted if (match := _LIBRARIES.match(line)) is not None}
    libraries = {}
    for name in sorted(names):
        try:
            libraries[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "scanside": importlib.metadata.version("scanside"),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "libraries": libraries,
    }


def _diagnosis(one: Diagnosis) -> dict[str, str]:
    """A receiver's answer, and a name that somebody gave it, stay here."""
    ours = not one.subject.startswith("peer ")
    return {
        "subject": one.subject if ours else "peer",
        "health": one.health.value,
        "found": one.found if ours else "",
        "remedy": one.remedy if ours else "",
    }


def _processes(layout: Layout, clock: Clock) -> dict[str, Any]:
    beats = {name: read_beat(layout.run, name, clock) for name in PROCESSES}
    proof = read_proof(layout.run, clock)
    return {
        "ages_s": {
            name: None if beat is None or beat.age_s == float("inf") else round(beat.age_s, 1)
            for name, beat in beats.items()
        },
        "proof_passed": None if proof is None else proof.passed,
        "could_not_start": sorted(fault.stem for fault in layout.run.glob("*.fault")),
    }


def _counts(database: Database) -> dict[str, Any]:
    read = database.read
    tables = [row[0] for row in read("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    return {
        "counts": asdict(Board(database).counts()) | {"last_result_at_utc": None},
        "rows": {table: read(f'SELECT count(*) FROM "{table}"')[0][0] for table in tables},  # noqa: S608
        "jobs": [list(row) for row in read("SELECT lane, state, count(*) FROM job GROUP BY lane, state")],
        "kinds": [
            list(row) for row in read("SELECT kind, completeness, count(*) FROM acquisition GROUP BY 1, 2")
        ],
        "unsent_by_attempts": [
            list(row)
            for row in read(
                "SELECT attempts, count(*) FROM outbox WHERE done = 0 GROUP BY attempts ORDER BY 1"
            )
        ],
        "damaged": read("SELECT count(*) FROM file WHERE damaged_at_utc IS NOT NULL")[0][0],
        "removed": read("SELECT count(*) FROM file WHERE removed_at_utc IS NOT NULL")[0][0],
    }


def _audit(database: Database) -> Iterator[str]:
    """Of the newest rows when, what, who and how it ended: not about what."""
    count = Trail(database).head().count
    for number, record, _, _ in Trail(database).raw():
        if number > count - AUDIT_ROWS:
            row = json.loads(record)
            yield json.dumps({key: row[key] for key in ("at_utc", "kind", "who", "outcome")})


def _text(content: Any) -> str:
    return json.dumps(content, indent=1, sort_keys=True) + "\n"
