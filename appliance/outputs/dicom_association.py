# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Opening and ending an association with a receiver, so that no peer can hold a thread for ever."""

from __future__ import annotations

from typing import Any, Final

from pynetdicom import AE, _config, evt
from pynetdicom.presentation import PresentationContext

from appliance.outputs.dicom_address import DicomAddress
from appliance.outputs.dicom_reach import why_not
from appliance.outputs.dicom_words import no_association
from appliance.outputs.identity import IMPLEMENTATION_VERSION_NAME, uid_of

CONNECT_TIMEOUT_S: Final = 10.0


def associate(
    address: DicomAddress,
    contexts: list[PresentationContext],
    *,
    roles: tuple[Any, ...] = (),
    handlers: tuple[Any, ...] = (),
) -> Any:
    """An established association, or one that was accepted without a single context. Raises DeliveryError."""
    _config.STORE_SEND_CHUNKED_DATASET = True  # a file's own bytes, never read as a whole
    entity = AE(ae_title=address.own_ae_title)
    entity.implementation_class_uid = uid_of("implementation")
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.connection_timeout = CONNECT_TIMEOUT_S
    entity.acse_timeout = CONNECT_TIMEOUT_S
    entity.dimse_timeout = entity.network_timeout = address.answer_timeout_s

    def limit_the_socket(event: Any) -> None:
        """A peer that stops reading, or stops in the middle of a message, must not hold us for ever."""
        event.assoc.dul.socket.socket.settimeout(address.answer_timeout_s)

    context = address.tls_context()
    try:
        association = entity.associate(
            address.host,
            address.port,
            contexts=contexts,
            ae_title=address.ae_title,
            ext_neg=list(roles),
            tls_args=None if context is None else (context, address.server_name),
            evt_handlers=[(evt.EVT_CONN_OPEN, limit_the_socket), *handlers],
        )
    except (OSError, UnicodeError) as error:  # the name does not resolve
        raise why_not(address) from error
    if association.is_established:
        return association
    accepted_nothing = association.rejected_contexts and not association.is_rejected
    if accepted_nothing:
        return association
    raise no_association(address, association)


def end(association: Any) -> None:
    """Release it, or make sure that its threads end. Never raises for what the peer does."""
    if association.is_established:
        association.release()
    if association.is_alive():
        association.kill()
        association.join(CONNECT_TIMEOUT_S)
