# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the binder: what each is, and what fills its folder."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from appliance.binder.changes import changes_of, changes_part
from appliance.binder.selftests import in_period, selftest_part
from appliance.binder.software import software_part
from appliance.binder.timing import timing_parts
from appliance.config import Settings
from appliance.conformance.page import page_of
from appliance.conformance.statement import statement_of
from appliance.device_key import audit_key_of, device_key
from appliance.domain.record import to_plain
from appliance.durable import write_whole
from appliance.errors import ScansideError
from appliance.layout import Layout
from appliance.models.inventory import Inventory
from appliance.monitor.proof_log import LoggedProof, read_log
from appliance.monitor.reports.exams import Period
from appliance.monitor.reports.page import Part, Report, to_plain_report
from appliance.monitor.reports.writing import ReportName, make_report, write_report
from appliance.outputs.audit_message import as_text, message_of
from appliance.store.anchors import anchors_beside, signed_line
from appliance.store.audit import Trail
from appliance.store.audit_check import check_trail
from appliance.store.connection import Database
from appliance.store.thresholds import Thresholds

TRACE: Final = ("trace.md", "hazards.toml", "requirements.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One part of the binder."""

    name: str
    """Of its folder."""
    title: str
    what: str
    """What it is, for somebody who was never here."""
    period: str
    files: tuple[str, ...]
    """Relative to the binder; the first is the one to open."""
    missing: str | None
    """Why it is not there; None: it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a binder is made from."""

    settings: Settings
    layout: Layout
    database: Database
    period: Period
    inventory: Inventory
    sbom: Path | None


class MissingPartError(ScansideError):
    """This part cannot be made on this device."""


Write = Callable[[Path, Sources], tuple[str, ...]]
"""Fills the folder of a part; gives its files, the one to open first. Raises MissingPartError."""


def _report(sources: Sources, name: str, title: str, parts: tuple[Part, ...]) -> Report:
    return Report(
        name=name,
        title=title,
        site=sources.settings.site_name,
        period=sources.period.words,
        made_at_utc=f"{sources.database.clock.now_utc():%Y-%m-%d %H:%M} UTC",
        version=importlib.metadata.version("scanside"),
        holds_patients=False,
        parts=parts,
    )


def _written(place: Path, report: Report) -> tuple[str, ...]:
    plain = json.dumps(to_plain_report(report), indent=1).encode("utf-8")
    write_whole(place / f"{report.name}.json", plain)
    return (*(file.name for file in write_report(report, place)), f"{report.name}.json")


def _performance(place: Path, sources: Sources) -> tuple[str, ...]:
    report = make_report(ReportName.PERFORMANCE, sources.database, sources.settings, sources.period)
    if not sources.database.read("SELECT 1 FROM outcome LIMIT 1"):
        raise MissingPartError(
            "No outcome was ever imported here, so nobody can say how often the models were right.",
            remedy="`scanside outcomes import` takes them from a laboratory or from radiology reports.",
        )
    return _written(place, report)


def _changes(place: Path, sources: Sources) -> tuple[str, ...]:
    found = changes_of(
        sources.period,
        trail=Trail(sources.database).rows(),
        thresholds=Thresholds(sources.database).every(),
        proofs=_log(sources),
        passports={one.card.identity: one.passports[0] for one in sources.inventory.models if one.passports},
    )
    return _written(place, _report(sources, "changes", "Changes", (changes_part(found),)))


def _models(place: Path, sources: Sources) -> tuple[str, ...]:
    if not sources.inventory.models:
        raise MissingPartError("No model answers here.", remedy="`scanside doctor` says why.")
    files = []
    for one in sources.inventory.models:
        content = {
            "card": to_plain(one.card),
            "signed_by": None if one.signer is None else to_plain(one.signer),
            "passports": [to_plain(passport) for passport in one.passports],
            "stepped_back": one.stepped_back,
        }
        name = f"{one.card.task}.json"
        write_whole(place / name, json.dumps(content, indent=1).encode("utf-8"))
        files.append(name)
    return tuple(files)


def _timing(place: Path, sources: Sources) -> tuple[str, ...]:
    parts = timing_parts(sources.database, sources.period)
    if not any(table.rows for part in parts for table in part.tables):
        raise MissingPartError("Nothing was answered in this period.", remedy="Name another one with --from.")
    return _written(place, _report(sources, "timing", "Latency and missed deadlines", parts))


def _selftests(place: Path, sources: Sources) -> tuple[str, ...]:
    proofs = in_period(_log(sources), sources.period)
    if not proofs:
        raise MissingPartError(
            "No test of the device by itself was logged in this period.",
            remedy="The running appliance logs them; name another period with --from.",
        )
    return _written(place, _report(sources, "selftests", "Self-tests", (selftest_part(proofs),)))


def _log(sources: Sources) -> tuple[LoggedProof, ...]:
    return tuple(read_log(sources.layout.proofs))


def _trace(place: Path, _: Sources) -> tuple[str, ...]:
    shipped = resources.files("appliance.binder") / "shipped"
    for name in TRACE:
        write_whole(place / name, (shipped / name).read_bytes())
    return TRACE


def _software(place: Path, sources: Sources) -> tuple[str, ...]:
    files = _written(place, _report(sources, "software", "Software on this device", (software_part(),)))
    if sources.sbom is not None:
        write_whole(place / "sbom.cdx.json", sources.sbom.read_bytes())
        files = ("sbom.cdx.json", *files)
    return files


def _conformance(place: Path, sources: Sources) -> tuple[str, ...]:
    write_whole(place / "conformance-statement.md", page_of(statement_of(sources.settings)).encode("utf-8"))
    return ("conformance-statement.md",)


def _audit(place: Path, sources: Sources) -> tuple[str, ...]:
    key = device_key(sources.layout.keys)
    sealing = audit_key_of(key)
    beside = list(anchors_beside(sources.layout.data, sealing))
    trail = Trail(sources.database)
    report = check_trail(trail, key=sealing, beside=beside)
    write_whole(place / "verification.json", json.dumps(to_plain(report), indent=1).encode("utf-8"))
    write_whole(place / "head.json", f"{signed_line(key, trail.head())}\n".encode("ascii"))
    source = sources.settings.site_name or sources.settings.listener.ae_title
    lines = "".join(f"{as_text(message_of(row, source=source))}\n" for row in trail.rows())
    write_whole(place / "messages.txt", lines.encode("utf-8"))
    return "verification.json", "head.json", "messages.txt"


PARTS: Final[tuple[tuple[str, str, str, str | None, Write], ...]] = (
    (
        "performance",
        "Local performance",
        (
            "Sensitivity, specificity, PPV and NPV of each finding at this site with 95 % intervals, by"
            " operating point, month and group, from imported outcomes."
        ),
        None,
        _performance,
    ),
    (
        "models",
        "Models that answer here",
        (
            "Each model's card with intended use, thresholds and measured performance, who signed it, and the"
            " passports that it passed on this device."
        ),
        "now",
        _models,
    ),
    (
        "changes",
        "Changes",
        "Every change of model, operating point, software and settings: description, protocol, impact.",
        None,
        _changes,
    ),
    (
        "timing",
        "Latency and missed deadlines",
        "How long answers took from landing, and how many quality checks came too late.",
        None,
        _timing,
    ),
    (
        "selftests",
        "Self-test log",
        "Tests of the device by itself with known answers, and every failure.",
        None,
        _selftests,
    ),
    (
        "trace",
        "From hazard to requirement to test",
        "Hazards with their controls, requirements, and the tests of this release that show each.",
        "this release",
        _trace,
    ),
    (
        "software",
        "Software and bill of materials",
        "The packages on this device; with --sbom the release's bill of materials.",
        "now",
        _software,
    ),
    (
        "conformance",
        "DICOM Conformance Statement",
        "Services, partners, transfer syntaxes and objects, from the settings in force.",
        "now",
        _conformance,
    ),
    (
        "audit",
        "Audit trail",
        "Every row as a DICOM audit message (PS3.15 A.5), where the trail ends, signed, and if it holds.",
        "from the first row",
        _audit,
    ),
)
"""In the order in which a reader needs them; None: the binder's period."""
