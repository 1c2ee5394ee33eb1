# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The `[worklist]` part of the settings: whom to ask what is expected, and what a protocol's name means."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from appliance.section import AeTitle, Section


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression ({error})") from error
    return text


class ProtocolSettings(Section):
    """What the orders of one kind mean. The first row that fits an order counts."""

    pattern: Annotated[str, AfterValidator(_is_pattern)] = Field(min_length=1, max_length=200)
    """A regular expression, looked for in "CODE | description" of the step and of the request, upper case."""
    body_part: str = Field(min_length=1, max_length=32)
    """As BodyPartExamined writes it."""
    views: tuple[str, ...] = ()
    """As ViewPosition writes them; empty: not known."""
    laterality: str = Field(default="", pattern="^[RLB]?$")
    """R, L or B (both); empty: look for it in the order's words."""
    sure: bool = True
    """False: holds the study open for these views, but never warns that another view was not ordered."""


class WorklistSettings(Section):
    """The modality worklist of the clinic (RIS, or its broker). Off while `host` is empty."""

    host: str = Field(default="", max_length=255)
    port: int = Field(default=104, ge=1, le=65535)
    ae_title: AeTitle = "WORKLIST"
    """What the server is called. This device calls itself `listener.ae_title`."""
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    server_name: str = ""
    """Name in the server's certificate, where that is not `host`."""
    station_ae_title: str = Field(default="", max_length=16)
    """Only steps that are scheduled for this station. Empty: all."""
    modality: str = Field(default="", max_length=16, pattern="^[A-Z0-9 _]*$")
    """Only steps of this modality. Empty: all."""
    poll_interval_s: float = Field(default=60.0, ge=1, le=3600)
    days_back: int = Field(default=1, ge=0, le=7)
    days_ahead: int = Field(default=0, ge=0, le=7)
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    """How long the server may be silent."""
    most_steps: int = Field(default=2000, ge=1, le=10000)
    """More answers than this are not taken, and it is said."""
    old_after_min: float = Field(default=15.0, gt=0, le=1440)
    """The last good list counts this long while the server does not answer."""
    protocols: tuple[ProtocolSettings, ...] = ()
    """The site's own rows, before those of this software."""


def _row(pattern: str, body_part: str, views: str, *, sure: bool = True) -> ProtocolSettings:
    return ProtocolSettings(pattern=pattern, body_part=body_part, views=tuple(views.split()), sure=sure)


_CHEST: Final = r"\b(CHEST|THORAX|CXR|TORAX)\b"
_TWO: Final = r"(?=.*(\b(2|TWO) ?(V|VIEWS?|VW)\b|\bLAT(ERAL)?\b))"
DEFAULT_PROTOCOLS: Final = (
    _row(_CHEST + _TWO, "CHEST", "PA LAT"),
    _row(_TWO + ".*" + _CHEST, "CHEST", "PA LAT"),
    _row(_CHEST, "CHEST", "PA"),
    _row(r"\b(THUMBS?)\b", "THUMB", "AP LAT", sure=False),
    _row(r"\b(FINGERS?)\b", "FINGER", "PA LAT", sure=False),
    _row(r"\b(WRISTS?|CARPUS)\b", "WRIST", "PA LAT"),
    _row(r"\b(HANDS?)\b", "HAND", "PA OBL", sure=False),
    _row(r"\b(FOREARM|RADIUS|ULNA)\b", "FOREARM", "AP LAT"),
    _row(r"\b(ELBOWS?)\b", "ELBOW", "AP LAT"),
    _row(r"\b(HUMERUS|UPPER ARM)\b", "HUMERUS", "AP LAT"),
    _row(r"\b(CLAVICLES?)\b", "CLAVICLE", "", sure=False),
    _row(r"\b(SHOULDERS?)\b", "SHOULDER", "", sure=False),
    _row(r"\b(TOES?)\b", "TOE", "AP OBL", sure=False),
    _row(r"\b(CALCANEUS|HEEL|CALCANEUM)\b", "CALCANEUS", "", sure=False),
    _row(r"\b(ANKLES?)\b", "ANKLE", "AP LAT", sure=False),
    _row(r"\b(FOOT|FEET)\b", "FOOT", "AP OBL", sure=False),
    _row(r"\b(TIB(IA)?( ?(&|AND|/)? ?FIB(ULA)?)?|LOWER LEG|LEG)\b", "LOWLEG", "AP LAT"),
    _row(r"\b(PATELLAS?)\b", "PATELLA", "", sure=False),
    _row(r"\b(KNEES?)\b", "KNEE", "AP LAT", sure=False),
    _row(r"\b(FEMUR|THIGH)\b", "FEMUR", "AP LAT"),
    _row(r"\b(HIPS?)\b", "HIP", "AP", sure=False),
    _row(r"\b(PELVIS)\b", "PELVIS", "AP"),
    _row(r"\b(ABDOMEN|KUB)\b", "ABDOMEN", "AP", sure=False),
    _row(r"\b(C[- ]?SPINE|CERVICAL SPINE)\b", "CSPINE", "AP LAT", sure=False),
    _row(r"\b(T[- ]?SPINE|THORACIC SPINE)\b", "TSPINE", "AP LAT", sure=False),
    _row(r"\b(L[- ]?S?[- ]?SPINE|LUMBAR SPINE)\b", "LSPINE", "AP LAT", sure=False),
    _row(r"\b(SKULL)\b", "SKULL", "", sure=False),
)
"""English names of orders, after those of the LOINC/RSNA Radiology Playbook ("XR Chest 2 Views", "XR Wrist -
right 2 Views"). Views: for the chest, PA and lateral are the two of the ACR-SPR-STR practice parameter for
chest radiography; long bones get two at right angles ("one view is one view too few": Chan, ABC of Emergency
Radiology), the wrist PA and lateral as the smallest set of the same book. Where schools differ (a third,
oblique view of hand, foot, ankle or cervical spine is routine in the ACR-SPR-SSR practice parameter for
extremities and not elsewhere) the row is not sure: it alarms nobody, and a number of views in the order's own
words wins. Shoulder, clavicle, heel, patella and skull have no set that most sites share."""
