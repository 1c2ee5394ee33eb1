# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Outcomes from HL7 v2 results (ORU): one for each OBX whose question is a coded finding.

OBX-3 names the finding (code^meaning^scheme), OBX-5 or OBX-8 says whether it is there, OBX-11 whether that is
final. OBR-18 carries the accession number (as IHE's scheduled workflow has it), an OBX with DCM 113014 the
StudyInstanceUID, PID-3 the patient; PV1-36 says who went home (HL7 table 0112, 01).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Final

from appliance.errors import ConfigError, InputError
from appliance.monitor.reports.outcome_csv import ReadOutcomes
from appliance.store.outcomes import KeyKind, Outcome, Truth

POSITIVE: Final = frozenset(
    {"10828004", "260373001", "52101004", "positive", "detected", "present", "pos", "yes", "y"}
)
"""SNOMED CT: positive, detected, present; HL7 table 0136; words."""
NEGATIVE: Final = frozenset(
    {"260385009", "260415000", "2667000", "negative", "not detected", "absent", "neg", "no", "n"}
)
"""SNOMED CT: negative, not detected, absent; HL7 table 0136; words."""
POSITIVE_FLAGS: Final = frozenset({"POS"})
NEGATIVE_FLAGS: Final = frozenset({"NEG"})
"""HL7 table 0078. A (abnormal) and N (normal) speak of a number, not of a finding."""
FINAL: Final = frozenset({"F", "U", ""})
CORRECTED: Final = frozenset({"C"})
WITHDRAWN: Final = frozenset({"D", "W"})
"""HL7 table 0085. Everything else is not final yet."""
TOLERANT: Final = 2
"""The library's level of checking that takes what real senders send."""
WENT_HOME: Final = "01"
STUDY_UID_CODE: Final = ("113014", "DCM")
CODED: Final = frozenset({"SCT", "LN", "99SCANSIDE", "RADLEX"})
SAME_SCHEME: Final = {"SNM3": "SCT", "SNOMED-CT": "SCT", "SRT": "SCT"}
"""Older names of one scheme."""


@dataclass(slots=True, kw_only=True)
class _Report:
    """What the segments before an OBX have said."""

    patient_id: str = ""
    accession_number: str = ""
    study_instance_uid: str = ""
    observed_on: str = ""
    sent_home: bool | None = None
    findings: list[tuple[dict[str, str], str]] = field(default_factory=list)
    """Fields of an OBX, and the day it was observed."""


def read_hl7(content: bytes) -> ReadOutcomes:
    """The outcomes of all messages of a file. Raises InputError, ConfigError without the optional extra."""
    text = content.decode("utf-8", errors="replace").replace("\x0b", "").replace("\x1c", "")
    text = re.sub(r"\r\n|\n", "\r", text).strip("\r")
    messages = [part for part in re.split(r"(?:^|\r)(?=MSH)", text) if part.strip()]
    if not messages or not messages[0].startswith("MSH"):
        raise InputError("The file holds no HL7 message: MSH is missing.", remedy="Export ORU^R01 messages.")
    outcomes: list[Outcome] = []
    not_final = not_said = 0
    for number, message in enumerate(messages, start=1):
        for report in _reports(_segments(message, number)):
            for obx, observed_on in report.findings:
                found = _outcome(report, obx, observed_on)
                if found is None:
                    not_final += 1
                elif isinstance(found, str):
                    not_said += 1
                else:
                    outcomes.append(found)
    passed_over = []
    if not_final:
        passed_over.append(f"{not_final} results that are not final")
    if not_said:
        passed_over.append(f"{not_said} results without patient, accession number or day")
    return ReadOutcomes(outcomes=tuple(outcomes), passed_over=tuple(passed_over))


def _library(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            "HL7 messages need a library that is not installed.", remedy="Run: pip install 'scanside[hl7]'"
        ) from error


def _segments(message: str, number: int) -> list[tuple[str, dict[str, str]]]:
    """Names and fields (by their number, first repetition only) of one message; components by `^`."""
    parser, errors = _library("hl7apy.parser"), _library("hl7apy.exceptions")
    try:
        parsed = parser.parse_message(message + "\r", validation_level=TOLERANT, find_groups=False)
        component = parsed.encoding_chars["COMPONENT"]
        repetition = parsed.encoding_chars["REPETITION"]
        return [
            (
                part.name,
                {
                    field.name.partition("_")[2]: field.to_er7().split(repetition)[0].replace(component, "^")
                    for field in part.children
                },
            )
            for part in parsed.children
        ]
    except (errors.HL7apyException, LookupError, ValueError, AttributeError) as error:
        raise InputError(
            f"Message {number} of the file is not HL7 v2. None was taken.",
            remedy="Export it again, or leave that message out.",
        ) from error


def _reports(segments: list[tuple[str, dict[str, str]]]) -> list[_Report]:
    """One for each OBR of the message; what precedes all of them holds for all."""
    shared = _Report()
    reports: list[_Report] = []
    for name, fields in segments:
        if name == "PID":
            shared.patient_id = _first(fields.get("3", ""))
        elif name == "PV1":
            disposition = _first(fields.get("36", ""))
            shared.sent_home = disposition == WENT_HOME if disposition else None
        elif name == "OBR":
            reports.append(
                _Report(
                    patient_id=shared.patient_id,
                    sent_home=shared.sent_home,
                    accession_number=fields.get("18", "").strip(),
                    observed_on=_day(fields.get("7", "")),
                )
            )
        elif name == "OBX" and reports:
            _observe(reports[-1], fields)
    return reports


def _observe(report: _Report, obx: dict[str, str]) -> None:
    question = [part.strip() for part in obx.get("3", "").split("^")]
    code, named = question[0], question[2] if len(question) > 2 else ""
    scheme = SAME_SCHEME.get(named, named)
    if (code, scheme) == STUDY_UID_CODE:
        report.study_instance_uid = obx.get("5", "").strip()
    elif code and scheme in CODED:
        said = {**obx, "code": code, "scheme": scheme, "answer": _first(obx.get("5", "")).lower()}
        report.findings.append((said, _day(obx.get("14", "")) or report.observed_on))


def _first(value: str) -> str:
    return value.split("^", maxsplit=1)[0].strip()


def _outcome(report: _Report, obx: Mapping[str, str], observed_on: str) -> Outcome | str | None:
    """None: not final. A string: what is missing."""
    status = obx.get("11", "").strip()
    if status not in FINAL | CORRECTED | WITHDRAWN:
        return None
    if report.study_instance_uid:
        kind, value = KeyKind.STUDY_INSTANCE_UID, report.study_instance_uid
    elif report.accession_number:
        kind, value = KeyKind.ACCESSION_NUMBER, report.accession_number
    elif report.patient_id and observed_on:
        kind, value = KeyKind.PATIENT_ID, report.patient_id
    else:
        return "key"
    return Outcome(
        key_kind=kind,
        key_value=value,
        code_value=obx["code"],
        code_scheme=obx["scheme"],
        truth=Truth.UNKNOWN if status in WITHDRAWN else _truth(obx),
        observed_on=observed_on,
        sent_home=report.sent_home,
        is_correction=status in CORRECTED | WITHDRAWN,
        source="hl7",
    )


def _truth(obx: Mapping[str, str]) -> Truth:
    answer, flag = obx["answer"], obx.get("8", "").strip()
    if answer in POSITIVE or flag in POSITIVE_FLAGS:
        return Truth.POSITIVE if answer not in NEGATIVE and flag not in NEGATIVE_FLAGS else Truth.UNKNOWN
    if answer in NEGATIVE or flag in NEGATIVE_FLAGS:
        return Truth.NEGATIVE
    return Truth.UNKNOWN


def _day(stamp: str) -> str:
    """YYYY-MM-DD of an HL7 time; "" of anything else."""
    try:
        return datetime.strptime(stamp.strip()[:8], "%Y%m%d").date().isoformat()  # noqa: DTZ007  (a day)
    except ValueError:
        return ""
