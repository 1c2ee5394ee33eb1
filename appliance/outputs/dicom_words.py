# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a DICOM receiver answers, in words for a person, with the side at which it can be mended."""

from __future__ import annotations

from typing import Any, Final

from pydicom.uid import UID

from appliance.errors import DeliveryError
from appliance.outputs.dicom_address import DicomAddress
from appliance.outputs.dicom_reach import why_not

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


def no_association(address: DicomAddress, association: Any) -> DeliveryError:
    """Why there is none."""
    answer = association.acceptor.primitive
    if not association.is_rejected or answer is None:
        return why_not(address)
    from_user = answer.result_source == SERVICE_USER
    if from_user and answer.diagnostic == CALLING_AE_UNKNOWN:
        return DeliveryError(
            f"{address.words} does not know the AE title {address.own_ae_title}.",
            remedy=f"Enter {address.own_ae_title} and this device's address at {address.name}.",
            permanent=True,
        )
    if from_user and answer.diagnostic == CALLED_AE_UNKNOWN:
        return DeliveryError(
            f"{address.words} is not called {address.ae_title}.",
            remedy="Correct sender.peers.ae_title in the settings of this device.",
            permanent=True,
        )
    return DeliveryError(
        f"{address.words} refuses the connection: {answer.reason_str}.",
        remedy="Look at the receiver's log; it is tried again.",
        permanent=answer.result == PERMANENT_REJECTION,
    )


def takes_not(address: DicomAddress, sop_class: UID, syntax: UID) -> DeliveryError:
    """It took no presentation context for this kind of object."""
    return DeliveryError(
        f"{address.words} does not take {_known(sop_class, 'objects of this kind')}"
        f" in {_known(syntax, 'its encoding')}.",
        remedy=f"Allow this kind of object at {address.name}.",
        permanent=True,
        this_file_only=True,
    )


def judge_stored(address: DicomAddress, status: int | None, file_name: str) -> None:
    """Its answer to C-STORE; None: it gave none. Raises DeliveryError unless it is stored."""
    if status == SUCCESS or (status is not None and status in WARNINGS):
        return
    if status is None:
        what, remedy = f"{address.words} broke off while taking {file_name}.", "It is tried again."
    elif status in OUT_OF_RESOURCES:
        what = f"{address.words} has no room for {file_name} (status 0x{status:04X})."
        remedy = f"Make room at {address.name}; it is tried again."
    else:
        what = f"{address.words} refuses {file_name} (status 0x{status:04X})."
        remedy = f"Look at the log of {address.name}."
    permanent = status is not None and (
        status in REFUSED or any(status in statuses for statuses in NOT_UNDERSTOOD)
    )
    raise DeliveryError(what, remedy=remedy, permanent=permanent, this_file_only=permanent)


def confirms_not(address: DicomAddress, status: int | None = None) -> DeliveryError:
    """It does not do storage commitment: no context for it, or this answer to the question."""
    answer = "" if status is None else f" (status 0x{status:04X})"
    return DeliveryError(
        f"{address.words} takes files but does not say whether it keeps them{answer}.",
        remedy=f"Switch storage commitment on at {address.name} for {address.own_ae_title}, or set "
        "commitment = false in the settings; until then the files are kept here as not confirmed.",
        permanent=True,
    )


def _known(uid: UID, otherwise: str) -> str:
    """A name of DICOM's own: what DICOM does not know is text from a header, and that is not for logs."""
    return uid.name if uid.name != str(uid) else otherwise
