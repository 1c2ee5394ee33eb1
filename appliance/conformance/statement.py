# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What this device speaks, as its settings have it: the facts of its Conformance Statement (PS3.2 annex A).

Tests hold it to what the device does: to the contexts that its port accepts and to the classes of the objects
that it makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydicom.uid import (
    UID,
    Comprehensive3DSRStorage,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    ImplicitVRLittleEndian,
    KeyObjectSelectionDocumentStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)
from pynetdicom import DEFAULT_TRANSFER_SYNTAXES

from appliance.config import Settings
from appliance.intake.decoders import COMPRESSED_SYNTAXES
from appliance.intake.small_message import MESSAGE_SYNTAXES
from appliance.outputs.identity import IMPLEMENTATION_VERSION_NAME, SCHEME, software_version, uid_of

VERIFICATION: Final = UID("1.2.840.10008.1.1")
COMMITMENT: Final = UID("1.2.840.10008.1.20.1")
PERFORMED_STEP: Final = UID("1.2.840.10008.3.1.2.3.3")
WORKLIST: Final = UID("1.2.840.10008.5.1.4.31")
MESSAGES: Final = tuple(UID(syntax) for syntax in MESSAGE_SYNTAXES)
PLAIN_SYNTAXES: Final = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
MADE_HERE: Final = (
    (Comprehensive3DSRStorage, "report of quality control and triage, TID 1500"),
    (SecondaryCaptureImageStorage, "summary for viewers that show no reports"),
    (GrayscaleSoftcopyPresentationStateStorage, "where a finding or a fault is"),
    (SegmentationStorage, "areas"),
    (KeyObjectSelectionDocumentStorage, "flagged images; images that a person rejected"),
    (CTImageStorage, "denoised slices"),
)
"""Classes of what this device makes, and what for (docs/dicom-objects.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One SOP class in one role towards one partner."""

    partner: str
    """Who, in words."""
    sop_class: str
    sop_class_uid: str
    role: str
    """SCU or SCP."""
    transfer_syntaxes: tuple[str, ...]
    """UIDs, in order of preference; empty: every one."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """An application entity that this device calls."""

    name: str
    ae_title: str
    host: str
    port: int
    tls: bool
    takes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The whole statement. No names of patients and no secrets: it is handed out."""

    site_name: str
    software_version: str
    implementation_class_uid: str
    implementation_version_name: str
    coding_scheme: str
    ae_title: str
    host: str
    port: int
    listens: bool
    max_associations: int
    max_pdu_bytes: int
    network_timeout_s: float
    calling_ae_titles: tuple[str, ...]
    """Empty: everybody who can reach the port."""
    partners: tuple[Partner, ...]
    web_archives: tuple[str, ...]
    """Addresses of STOW-RS services."""
    services: tuple[Service, ...]
    decoded_syntaxes: tuple[tuple[str, str], ...]
    """UID and name of the transfer syntaxes whose pixels this device reads."""
    made_here: tuple[tuple[str, str, str], ...]
    """UID, name, purpose."""


def statement_of(settings: Settings) -> Statement:
    """The facts of a device with these settings."""
    listener = settings.listener
    decoded = (*PLAIN_SYNTAXES, *(UID(syntax) for syntax in sorted(COMPRESSED_SYNTAXES)))
    return Statement(
        site_name=settings.site_name,
        software_version=software_version(),
        implementation_class_uid=str(uid_of("implementation")),
        implementation_version_name=IMPLEMENTATION_VERSION_NAME,
        coding_scheme=SCHEME,
        ae_title=listener.ae_title,
        host=listener.host,
        port=listener.port,
        listens=listener.enabled,
        max_associations=listener.max_associations,
        max_pdu_bytes=listener.max_pdu_bytes,
        network_timeout_s=listener.network_timeout_s,
        calling_ae_titles=listener.calling_ae_titles,
        partners=_partners(settings),
        web_archives=tuple(archive.url for archive in settings.sender.stow),
        services=(*_offered(settings), *_used(settings)),
        decoded_syntaxes=tuple((str(syntax), syntax.name) for syntax in decoded),
        made_here=tuple((str(uid), uid.name, purpose) for uid, purpose in MADE_HERE),
    )


def _partners(settings: Settings) -> tuple[Partner, ...]:
    peers = tuple(
        Partner(
            name=peer.name,
            ae_title=peer.ae_title,
            host=peer.host,
            port=peer.port,
            tls=peer.tls,
            takes=" and ".join(
                word for word, wanted in (("originals", peer.originals), ("results", peer.results)) if wanted
            )
            or "nothing",
        )
        for peer in settings.sender.peers
    )
    asked = settings.worklist
    if not asked.host:
        return peers
    worklist = Partner(
        name="worklist",
        ae_title=asked.ae_title,
        host=asked.host,
        port=asked.port,
        tls=False,
        takes="questions",
    )
    return (*peers, worklist)


def _service(partner: str, uid: UID, role: str, syntaxes: tuple[UID, ...] = (), note: str = "") -> Service:
    return Service(
        partner=partner,
        sop_class=uid.name,
        sop_class_uid=str(uid),
        role=role,
        transfer_syntaxes=tuple(str(syntax) for syntax in syntaxes),
        note=note,
    )


def _offered(settings: Settings) -> tuple[Service, ...]:
    """What callers may ask of the port."""
    if not settings.listener.enabled:
        return ()
    caller = "whoever may call"
    services = [
        _service(caller, VERIFICATION, "SCP", tuple(UID(syntax) for syntax in DEFAULT_TRANSFER_SYNTAXES)),
        Service(
            partner=caller,
            sop_class="Storage, every class, private ones included",
            sop_class_uid="",
            role="SCP",
            transfer_syntaxes=(),
            note="Every transfer syntax, kept as it came. Success is said once the image is durable.",
        ),
        _service(
            caller,
            PERFORMED_STEP,
            "SCP",
            MESSAGES,
            "N-CREATE, N-SET: what a step has produced.",
        ),
    ]
    if any(peer.commitment for peer in settings.sender.peers):
        note = "Takes N-EVENT-REPORT of the receivers that it has asked."
        services.append(_service("receivers that confirm", COMMITMENT, "SCU", MESSAGES, note))
    return tuple(services)


def _used(settings: Settings) -> tuple[Service, ...]:
    """What this device asks of others."""
    services = []
    for peer in settings.sender.peers:
        services.append(_service(peer.name, VERIFICATION, "SCU", (ImplicitVRLittleEndian,)))
        if peer.originals:
            services.append(
                Service(
                    partner=peer.name,
                    sop_class="Storage, the classes of the originals",
                    sop_class_uid="",
                    role="SCU",
                    transfer_syntaxes=(),
                    note="The transfer syntax in which the image came, untouched.",
                )
            )
        if peer.results:
            services += [
                _service(peer.name, uid, "SCU", (ExplicitVRLittleEndian, ImplicitVRLittleEndian))
                for uid, _ in MADE_HERE
            ]
        if peer.commitment:
            note = "N-ACTION; the report may come on the same or on a new association."
            services.append(_service(peer.name, COMMITMENT, "SCU", (ImplicitVRLittleEndian,), note))
    if settings.worklist.host:
        services.append(_service("worklist", WORKLIST, "SCU", MESSAGES, "C-FIND, again and again."))
    return tuple(services)
