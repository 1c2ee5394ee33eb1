# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Sending to a PACS or workstation: C-STORE, one association per file, the file's bytes as they are.

What the receiver says is put into words for a person, with the side at which it can be mended. It decides
whether other files go first, never whether a file is tried again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, _config
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import time

from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.outputs.identity import IMPLEMENTATION_VERSION_NAME, uid_of
from appliance.receivers import PeerSettings

CONNECT_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 60.0
"""For a slow archive to file a large image."""
SUCCESS: Final = 0x0000
WARNINGS: Final = range(0xB000, 0xC000)
"""Stored, with elements coerced or discarded (PS3.4 table B.2-1)."""
OUT_OF_RESOURCES: Final = range(0xA700, 0xA800)
NOT_UNDERSTOOD: Final = (range(0xA900, 0xAA00), range(0xC000, 0xD000))
REFUSED: Final = (0x0122, 0x0124)
"""SOP class not supported, not authorised (PS3.7 annex C)."""
PERMANENT_REJECTION: Final = 1
"""A-ASSOCIATE-RJ result (PS3.8 table 9-21)."""
SERVICE_USER: Final = 1
CALLING_AE_UNKNOWN: Final = 3
CALLED_AE_UNKNOWN: Final = 7
"""Reasons of a rejection by the service user."""


class DicomPeer:
    """A `Destination` that speaks DICOM."""

    def __init__(self, *, name: str, host: str, port: int, ae_title: str, own_ae_title: str) -> None:
        self.name = name
        self._host = host
        self._port = port
        self._ae_title = ae_title
        self._own_ae_title = own_ae_title

    @property
    def _words(self) -> str:
        return f"{self.name} ({self._ae_title} at {self._host}:{self._port})"

    def deliver(self, path: Path) -> None:
        """Send one DICOM file. Sending it twice does no harm: it is the same object. Raises DeliveryError."""
        try:
            meta = read_file_meta_info(path)
            sop_class, syntax = UID(meta.MediaStorageSOPClassUID), UID(meta.TransferSyntaxUID)
        except (OSError, InvalidDicomError, AttributeError, ValueError, EOFError) as error:
            raise DeliveryError(
                f"{path.name} cannot be read for sending: {error}.",
                remedy="Look at the disk of this device; the file is tried again.",
                permanent=True,
                this_file_only=True,
            ) from error
        offered = [(sop_class, syntax)]
        if syntax == ExplicitVRLittleEndian:
            offered.append((sop_class, ImplicitVRLittleEndian))  # every DICOM program knows this one
        with self._association(offered) as association:
            accepted = {context.transfer_syntax[0] for context in association.accepted_contexts}
            if not accepted:
                raise self._takes_not(sop_class, syntax)
            try:
                status = association.send_c_store(path if syntax in accepted else dcmread(path))
            except (ValueError, RuntimeError, OSError, AttributeError) as error:
                raise DeliveryError(
                    f"{path.name} could not be sent to {self._words}: {error}.",
                    remedy="It is tried again.",
                    permanent=False,
                ) from error
        self._judge(status.get("Status"), path)

    def echo(self) -> None:
        """C-ECHO: is somebody there who knows us? Raises DeliveryError."""
        with self._association([(Verification, ImplicitVRLittleEndian)]) as association:
            association.dimse_timeout = CONNECT_TIMEOUT_S  # nothing has to be filed for an echo
            status = association.send_c_echo()
        if status.get("Status") != SUCCESS:
            raise DeliveryError(
                f"{self._words} took the connection but did not answer C-ECHO.",
                remedy="Restart the receiver, or look at its log.",
                permanent=False,
            )

    @contextmanager
    def _association(self, offered: list[tuple[UID, UID]]) -> Iterator[Any]:
        _config.STORE_SEND_CHUNKED_DATASET = True  # a file's own bytes, never read as a whole
        entity = AE(ae_title=self._own_ae_title)
        entity.implementation_class_uid = uid_of("implementation")
        entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        entity.connection_timeout = CONNECT_TIMEOUT_S
        entity.acse_timeout = CONNECT_TIMEOUT_S
        entity.dimse_timeout = entity.network_timeout = ANSWER_TIMEOUT_S
        for sop_class, syntax in offered:
            entity.add_requested_context(sop_class, syntax)
        association = entity.associate(self._host, self._port, ae_title=self._ae_title)
        try:
            if not association.is_established:
                raise self._no_association(association, offered[0])
            yield association
        finally:
            if association.is_established:
                association.release()
                association.join()

    def _no_association(self, association: Any, offered: tuple[UID, UID]) -> DeliveryError:
        if association.rejected_contexts and not association.is_rejected:
            return self._takes_not(*offered)
        answer = association.acceptor.primitive
        if not association.is_rejected or answer is None:
            return DeliveryError(
                f"{self._words} does not answer.",
                remedy="Look at the network cable and whether the receiver runs; it is tried again.",
                permanent=False,
            )
        from_user = answer.result_source == SERVICE_USER
        if from_user and answer.diagnostic == CALLING_AE_UNKNOWN:
            return DeliveryError(
                f"{self._words} does not know the AE title {self._own_ae_title}.",
                remedy=f"Enter {self._own_ae_title} and this device's address at {self.name}.",
                permanent=True,
            )
        if from_user and answer.diagnostic == CALLED_AE_UNKNOWN:
            return DeliveryError(
                f"{self._words} is not called {self._ae_title}.",
                remedy="Correct sender.peers.ae_title in the settings of this device.",
                permanent=True,
            )
        return DeliveryError(
            f"{self._words} refuses the connection: {answer.reason_str}.",
            remedy="Look at the receiver's log; it is tried again.",
            permanent=answer.result == PERMANENT_REJECTION,
        )

    def _takes_not(self, sop_class: UID, syntax: UID) -> DeliveryError:
        kind = _known(sop_class, "objects of this kind")
        return DeliveryError(
            f"{self._words} does not take {kind} in {_known(syntax, 'its encoding')}.",
            remedy=f"Allow this kind of object at {self.name}.",
            permanent=True,
            this_file_only=True,
        )

    def _judge(self, status: int | None, path: Path) -> None:
        if status == SUCCESS or (status is not None and status in WARNINGS):
            return
        if status is None:
            what, remedy = f"{self._words} broke off while taking {path.name}.", "It is tried again."
        elif status in OUT_OF_RESOURCES:
            what = f"{self._words} has no room for {path.name} (status 0x{status:04X})."
            remedy = f"Make room at {self.name}; it is tried again."
        else:
            what = f"{self._words} refuses {path.name} (status 0x{status:04X})."
            remedy = f"Look at the log of {self.name}."
        permanent = status is not None and (
            status in REFUSED or any(status in statuses for statuses in NOT_UNDERSTOOD)
        )
        raise DeliveryError(what, remedy=remedy, permanent=permanent, this_file_only=permanent)


def _known(uid: UID, otherwise: str) -> str:
    """A name of DICOM's own: what DICOM does not know is text from a header, and that is not for logs."""
    return uid.name if uid.name != str(uid) else otherwise


def destination(peer: PeerSettings, settings: Settings) -> DicomPeer:
    """The way out to this receiver."""
    return DicomPeer(
        name=peer.name,
        host=peer.host,
        port=peer.port,
        ae_title=peer.ae_title,
        own_ae_title=settings.listener.ae_title,
    )


def echo(peer: PeerSettings, settings: Settings) -> None:
    """C-ECHO to a peer of the settings. Raises DeliveryError in words."""
    destination(peer, settings).echo()
