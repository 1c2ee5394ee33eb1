# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Sending to a PACS or workstation: C-STORE, the file's bytes as they are, many files over one association.

What the receiver says is put into words for a person. It decides whether other files go first, never whether
a file is tried again. A receiver may be asked whether it keeps what it took (storage commitment).
"""

from __future__ import annotations

from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import build_context, build_role, evt
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import time
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    Verification,
)

from appliance.config import Settings
from appliance.domain.commitment import CommitmentReport, StoredObject
from appliance.errors import DeliveryError
from appliance.intake.commitment_report import INVALID_ARGUMENT, SUCCESS, commitment_report
from appliance.outputs.dicom_address import ANSWER_TIMEOUT_S, DicomAddress, TlsFiles, dicom_address
from appliance.outputs.dicom_association import CONNECT_TIMEOUT_S, associate, end
from appliance.outputs.dicom_words import confirms_not, judge_stored, takes_not
from appliance.receivers import PeerSettings

MOST_CONTEXTS: Final = 128
"""Presentation contexts of one association: odd numbers of one byte (PS3.8 section 9.3.2.2)."""
REQUEST_COMMITMENT: Final = 1
"""ActionTypeID, PS3.4 section J.3.2.1."""

Kind = tuple[UID, UID]
"""SOP class and transfer syntax of a file."""


class DicomPeer:
    """A `Keeper` that speaks DICOM. Used by one thread at a time; `close` ends what it keeps open."""

    def __init__(
        self,
        *,
        name: str,
        host: str,
        port: int,
        ae_title: str,
        own_ae_title: str,
        tls: TlsFiles | None = None,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.name = name
        self._address = DicomAddress(
            name=name,
            host=host,
            port=port,
            ae_title=ae_title,
            own_ae_title=own_ae_title,
            tls=tls,
            answer_timeout_s=answer_timeout_s,
        )
        self._association: Any = None
        self._offered: frozenset[Kind] = frozenset()
        self._known: dict[Kind, None] = {}
        self._expected: tuple[Path, ...] = ()
        self._listening: Any = None
        self._reports: SimpleQueue[CommitmentReport] = SimpleQueue()

    @property
    def is_open(self) -> bool:
        """Is a connection kept that `rest` would give back?"""
        return self._association is not None or self._listening is not None

    def expect(self, paths: tuple[Path, ...]) -> None:
        """What is handed over next: a new association is negotiated for all of it."""
        self._expected = paths

    def deliver(self, path: Path) -> None:
        """Send one DICOM file. Sending it twice does no harm: it is the same object. Raises DeliveryError."""
        kind = _kind(path)
        kept = self._association is not None and self._association.is_established and kind in self._offered
        if not kept:
            self._open(kind)
        status = self._store(path, kind)
        if status is None and kept:  # it may have given up the idle connection: that says nothing of the file
            self._open(kind)
            status = self._store(path, kind)
        if status is None:
            self._give_back()
        judge_stored(self._address, status, path.name)

    def _open(self, kind: Kind) -> None:
        """A new association, for this kind of file and for what comes after it."""
        self._give_back()
        kinds = {kind: None}
        for path in self._expected:
            try:
                kinds[_kind(path)] = None
            except DeliveryError:
                continue  # said when it is its turn
        self._known = kinds | self._known
        contexts: list[PresentationContext] = []
        offered = []
        for wanted in self._known:
            more = [build_context(*wanted)]
            if wanted[1] == ExplicitVRLittleEndian:
                more.append(build_context(wanted[0], ImplicitVRLittleEndian))  # every program knows this one
            if len(contexts) + len(more) > MOST_CONTEXTS:
                break
            contexts += more
            offered.append(wanted)
        association = associate(self._address, contexts)
        if not association.is_established:
            end(association)
            raise takes_not(self._address, *kind)
        self._association, self._offered = association, frozenset(offered)

    def _store(self, path: Path, kind: Kind) -> int | None:
        """The status that it answers; None: it gave none, the connection is gone. Raises DeliveryError."""
        sop_class, syntax = kind
        accepted = {
            context.transfer_syntax[0]
            for context in self._association.accepted_contexts
            if context.abstract_syntax == sop_class
        }
        wanted = {syntax, ImplicitVRLittleEndian} if syntax == ExplicitVRLittleEndian else {syntax}
        if not accepted & wanted:
            raise takes_not(self._address, sop_class, syntax)
        try:
            status = self._association.send_c_store(path if syntax in accepted else dcmread(path))
        except RuntimeError:  # the association ended a moment ago
            return None
        except (ValueError, OSError, AttributeError) as error:
            raise DeliveryError(
                f"{path.name} could not be sent to {self._address.words}: {error}.",
                remedy="It is tried again.",
                permanent=False,
            ) from error
        code: int | None = status.get("Status")
        return code

    def ask(self, objects: tuple[StoredObject, ...], transaction_uid: str) -> None:
        """Request storage commitment. The answer comes as a report, here or at the listener.

        Raises DeliveryError.
        """
        self.rest()
        association = associate(
            self._address,
            [build_context(StorageCommitmentPushModel, ImplicitVRLittleEndian)],
            roles=(build_role(StorageCommitmentPushModel, scu_role=True, scp_role=False),),
            handlers=((evt.EVT_N_EVENT_REPORT, self._on_report),),
        )
        if not association.is_established:
            end(association)
            raise confirms_not(self._address)
        self._listening = association
        try:
            status, _ = association.send_n_action(
                _references(objects, transaction_uid),
                REQUEST_COMMITMENT,
                StorageCommitmentPushModel,
                StorageCommitmentPushModelInstance,
            )
        except (RuntimeError, ValueError):
            status = Dataset()
        code: int | None = status.get("Status")
        if code != SUCCESS:
            self.rest()
        if code is None:
            raise DeliveryError(
                f"{self._address.words} broke off when asked whether it keeps what it took.",
                remedy="It is asked again.",
                permanent=False,
            )
        if code != SUCCESS:
            raise confirms_not(self._address, code)

    def _on_report(self, event: Any) -> tuple[int, None]:
        report = commitment_report(event)
        if report is None:
            return INVALID_ARGUMENT, None
        self._reports.put(report)
        return SUCCESS, None

    def reports(self) -> tuple[CommitmentReport, ...]:
        """Reports that came over the association of the question, each once."""
        found = []
        while True:
            try:
                found.append(self._reports.get_nowait())
            except Empty:
                return tuple(found)

    def rest(self) -> None:
        """Nothing is to be sent for a while: end what is open."""
        self._give_back()
        listening, self._listening = self._listening, None
        if listening is not None:
            end(listening)

    def close(self) -> None:
        """The same, for good."""
        self.rest()

    def _give_back(self) -> None:
        association, self._association = self._association, None
        if association is not None:
            end(association)

    def echo(self) -> None:
        """C-ECHO: is somebody there who knows us? Raises DeliveryError."""
        association = associate(self._address, [build_context(Verification, ImplicitVRLittleEndian)])
        try:
            if not association.is_established:
                raise takes_not(self._address, Verification, ImplicitVRLittleEndian)
            association.dimse_timeout = CONNECT_TIMEOUT_S  # nothing has to be filed for an echo
            status = association.send_c_echo()
        finally:
            end(association)
        if status.get("Status") != SUCCESS:
            raise DeliveryError(
                f"{self._address.words} took the connection but did not answer C-ECHO.",
                remedy="Restart the receiver, or look at its log.",
                permanent=False,
            )


def _kind(path: Path) -> Kind:
    meta = _meta(path)
    return UID(meta.MediaStorageSOPClassUID), UID(meta.TransferSyntaxUID)


def _meta(path: Path) -> Dataset:
    """The file header, with what we need of it. Raises DeliveryError."""
    try:
        meta = read_file_meta_info(path)
        for keyword in ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID"):
            getattr(meta, keyword)
    except (OSError, InvalidDicomError, AttributeError, ValueError, EOFError) as error:
        raise DeliveryError(
            f"{path.name} cannot be read for sending: {error}.",
            remedy="Look at the disk of this device; the file is tried again.",
            permanent=True,
            this_file_only=True,
        ) from error
    return meta


def stored_object(path: Path) -> StoredObject:
    """What a receiver that took this file has. Raises DeliveryError."""
    meta = _meta(path)
    return StoredObject(
        sop_class_uid=str(meta.MediaStorageSOPClassUID), sop_instance_uid=str(meta.MediaStorageSOPInstanceUID)
    )


def _references(objects: tuple[StoredObject, ...], transaction_uid: str) -> Dataset:
    """PS3.4 table J.3-1."""
    request = Dataset()
    request.TransactionUID = transaction_uid
    request.ReferencedSOPSequence = []
    for stored in objects:
        item = Dataset()
        item.ReferencedSOPClassUID = stored.sop_class_uid
        item.ReferencedSOPInstanceUID = stored.sop_instance_uid
        request.ReferencedSOPSequence.append(item)
    return request


def destination(peer: PeerSettings, settings: Settings) -> DicomPeer:
    """The way out to this receiver."""
    address = dicom_address(peer, own_ae_title=settings.listener.ae_title)
    return DicomPeer(
        name=address.name,
        host=address.host,
        port=address.port,
        ae_title=address.ae_title,
        own_ae_title=address.own_ae_title,
        tls=address.tls,
        answer_timeout_s=address.answer_timeout_s,
    )


def echo(peer: PeerSettings, settings: Settings) -> str:
    """C-ECHO to a peer of the settings: what it answered. Raises DeliveryError in words."""
    destination(peer, settings).echo()
    if peer.commitment:
        return "answers C-ECHO; it is asked whether it keeps what it took"
    return "answers C-ECHO; nobody asks whether it keeps what it took (commitment = false)"
