# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A lane's answer as an HL7 v2.5.1 result message, ORU^R01: one OBX for each thing said, status preliminary.

Built and validated by hl7apy. The same answer is the same message with the same control id, so a receiver
that has it can say so. OBX-8 (abnormal flags) stays empty: this device does not say "normal".
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.result import LaneResult
from appliance.errors import InputError
from appliance.layout import Layout
from appliance.outputs.base import Rendered
from appliance.outputs.extras import require_extra
from appliance.outputs.identity import SCHEME, uid_of
from appliance.outputs.quality_codes import VERDICTS
from appliance.outputs.report_groups import FLAGGED, NOT_ANALYSED
from appliance.outputs.source_header import UNKNOWN_MOMENT, content_moment, evidence_of
from appliance.outputs.told import (
    AI_NOTE,
    models_of,
    patient_id_of,
    says_something,
    suspicion,
    told_refusals,
)

VERSION: Final = "2.5.1"
CHARACTER_SET: Final = "UNICODE UTF-8"
"""HL7 table 0211."""
PRELIMINARY: Final = "P"
"""HL7 tables 0085 and 0123."""
STUDY: Final = ("18748-4", "Diagnostic imaging study", "LN")
STUDY_INSTANCE_UID: Final = ("113014", "DICOM Study", "DCM")
CONTROL_ID_LENGTH: Final = 20
"""Characters of MSH-10 (ST, 20 in 2.5.1)."""
TEXT_LENGTH: Final = 199
"""Characters of a CWE's text (CWE.2)."""
SCHEME_LENGTH: Final = 20
"""Characters of a CWE's coding system (CWE.3)."""
CODE_LENGTH: Final = 20
NOT_TEXT: Final = re.compile(r"[\x00-\x1f\x7f]+")
"""A carriage return would begin a segment of its own."""
Code = tuple[str, str, str]


class Hl7Result:
    """An `Output`."""

    name = "hl7"

    def __init__(self, ending: str, *, site_name: str) -> None:
        self._ending = ending
        self._site_name = site_name

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One message; none where the lane has nothing to say. Raises InputError when it cannot be made."""
        from hl7apy.exceptions import HL7apyException  # noqa: PLC0415  (an extra)

        if not says_something(result):
            return ()
        try:
            text = _Message(acquisition, result, site_name=self._site_name).encoded()
        except HL7apyException as error:  # its words may quote the patient
            raise InputError(
                f"The header does not fit into an HL7 message ({type(error).__name__}).",
                remedy="The results stay on this device: see `scanside results`.",
            ) from None
        return (Rendered(file_name=f"result-{result.lane.value}{self._ending}", content=text.encode()),)


class _Message:
    """One ORU^R01 while it is built."""

    def __init__(self, acquisition: Acquisition, result: LaneResult, *, site_name: str) -> None:
        from hl7apy.consts import VALIDATION_LEVEL  # noqa: PLC0415  (an extra)
        from hl7apy.core import Message  # noqa: PLC0415

        self._acquisition = acquisition
        self._result = result
        self._evidence = evidence_of(acquisition.first)
        moment = content_moment(self._evidence)
        self._sent = "".join(moment).partition(".")[0]
        self._moment = "" if moment == UNKNOWN_MOMENT else self._sent
        self._message = Message("ORU_R01", version=VERSION, validation_level=VALIDATION_LEVEL.STRICT)
        self._site_name = site_name
        self._observations = 0

    def encoded(self) -> str:
        """The whole message, validated, with a control id that follows from all the rest."""
        self._header()
        group = self._message.oru_r01_patient_result
        if patient_id_of(self._evidence):
            self._patient(group.oru_r01_patient.pid)
        order = group.oru_r01_order_observation
        self._order(order.obr)
        note = order.add_segment("NTE")
        note.nte_1, note.nte_3 = "1", escaped(AI_NOTE)
        for what in self._said():
            self._observe(order, *what)
        digest = hashlib.sha256(self._message.to_er7().encode()).digest()
        self._message.msh.msh_10 = base64.b32encode(digest).decode("ascii")[:CONTROL_ID_LENGTH]
        self._message.validate()
        return str(self._message.to_er7()) + "\r"

    def _header(self) -> None:
        header = self._message.msh
        header.msh_3.hd_1 = "SCANSIDE"
        if self._site_name:
            header.msh_4.hd_1 = escaped(self._site_name[:SCHEME_LENGTH])
        header.msh_7.ts_1 = self._sent  # it must be there
        header.msh_9 = "ORU^R01^ORU_R01"
        header.msh_10 = "0"
        header.msh_11.pt_1 = "P"
        header.msh_12.vid_1 = VERSION
        header.msh_18 = CHARACTER_SET

    def _patient(self, patient: Any) -> None:
        evidence = self._evidence
        patient.pid_1 = "1"
        patient.pid_3.cx_1 = escaped(patient_id_of(evidence))
        for position, part in _name_parts(evidence):
            part_of_name = (
                patient.pid_5.xpn_1.fn_1 if position == 1 else getattr(patient.pid_5, f"xpn_{position}")
            )
            part_of_name.value = escaped(part)
        if evidence.get("PatientBirthDate"):
            patient.pid_7.ts_1 = str(evidence.PatientBirthDate)
        if evidence.get("PatientSex"):
            patient.pid_8 = str(evidence.PatientSex)

    def _order(self, order: Any) -> None:
        order.obr_1 = "1"
        uid = uid_of("hl7 order", self._acquisition.acquisition_id, str(self._acquisition.version))
        order.obr_3.ei_1 = self._acquisition.acquisition_id[:CODE_LENGTH]
        order.obr_3.ei_2 = "SCANSIDE"
        order.obr_3.ei_3, order.obr_3.ei_4 = str(uid), "ISO"
        _set_code(order.obr_4, "ce", STUDY)
        accession = str(self._evidence.get("AccessionNumber") or "").strip()
        if accession:
            order.obr_18 = escaped(accession)
        order.obr_24 = "RAD"
        order.obr_25 = PRELIMINARY
        if self._moment:
            order.obr_7.ts_1 = order.obr_22.ts_1 = self._moment

    def _said(self) -> list[tuple[Code, str, Any, str, str]]:
        """Code, value type, value, units and comment of each observation."""
        first, result = self._acquisition.first, self._result
        said: list[tuple[Code, str, Any, str, str]] = [
            (STUDY_INSTANCE_UID, "ST", first.study_instance_uid, "", "")
        ]
        models = models_of(result)
        for found in result.findings:
            code = (found.code.value, found.code.meaning, found.code.scheme)
            comment = f"{suspicion(found)} {models.get(found.task, '')}".strip()
            said.append((code, "CWE", _coded(FLAGGED[found.decision]), "", comment))
            probability = (code[0], f"{found.code.meaning}: calibrated probability", code[2])
            said.append((probability, "NM", f"{found.probability:.4f}", "1", ""))
        for check in result.quality:
            code = _own(check.criterion)
            said.append((code, "CWE", _coded(VERDICTS[check.verdict]), "", check.advice))
            if check.value is not None and math.isfinite(check.value):
                said.append((code, "NM", f"{check.value:.6g}", check.unit or "1", ""))
        said += [
            (_own(refusal.task), "CWE", _coded(NOT_ANALYSED), "", refusal.reason)
            for refusal in told_refusals(result)
        ]
        return said

    def _observe(self, order: Any, code: Code, kind: str, value: Any, units: str, comment: str) -> None:
        group = order.add_group("ORU_R01_OBSERVATION")
        self._observations += 1
        group.obx.obx_1 = str(self._observations)
        group.obx.obx_2 = kind
        _set_code(group.obx.obx_3, "ce", code)
        group.obx.obx_4 = str(self._observations)
        if kind == "CWE":
            group.obx.obx_5 = "^".join(escaped(part) for part in value)
        else:
            group.obx.obx_5 = escaped(value)
        if units:
            _set_code(group.obx.obx_6, "ce", (units, units, "UCUM"))
        group.obx.obx_11 = PRELIMINARY
        if self._moment:
            group.obx.obx_14.ts_1 = self._moment
        if comment:
            note = group.add_segment("NTE")
            note.nte_1, note.nte_3 = "1", escaped(comment)


def _name_parts(evidence: Dataset) -> list[tuple[int, str]]:
    """Components of XPN and their position; DICOM has prefix before suffix, HL7 the other way round."""
    name = PersonName(str(evidence.get("PatientName") or ""))
    parts = (name.family_name, name.given_name, name.middle_name, name.name_suffix, name.name_prefix)
    return [(position, part) for position, part in enumerate(parts, start=1) if part]


def _own(name: str) -> Code:
    value = name
    if len(value) > CODE_LENGTH:
        value = hashlib.sha256(name.encode()).hexdigest()[:CODE_LENGTH]
    return value, name.replace("_", " "), SCHEME


def _coded(code: Any) -> Code:
    return code.value, code.meaning, code.scheme_designator


def _set_code(field: Any, kind: str, code: Code) -> None:
    value, meaning, scheme = code
    for position, part in ((1, value), (2, meaning[:TEXT_LENGTH]), (3, scheme[:SCHEME_LENGTH])):
        getattr(field, f"{kind}_{position}").value = escaped(part)


def escaped(text: str) -> str:
    """Text as a field holds it: delimiters escaped by hl7apy, line breaks and other controls as blanks."""
    from hl7apy.consts import VALIDATION_LEVEL  # noqa: PLC0415  (an extra)
    from hl7apy.factories import datatype_factory  # noqa: PLC0415

    plain = NOT_TEXT.sub(" ", text)
    value = datatype_factory("ST", plain, version=VERSION, validation_level=VALIDATION_LEVEL.TOLERANT)
    return str(value.to_er7())


def message(ending: str, settings: Settings, layout: Layout) -> Hl7Result:
    """What renders files with this ending. Raises ConfigError when the extra is not installed."""
    del layout
    require_extra("hl7", "hl7apy")
    return Hl7Result(ending, site_name=settings.site_name)
