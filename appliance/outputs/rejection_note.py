# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A person's decision to take an image again, for the archive: a rejection note as IHE IOCM asks.

A Key Object Selection titled "Rejected for Quality Reasons", with the reason as a code (CID 7011) where the
standard has one for it and in the person's words beside it. Its time is that of the decision.
"""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from typing import Final

from highdicom import ko, sr
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from appliance.domain.acquisition import Acquisition
from appliance.domain.quality import Verdict
from appliance.domain.reject import CODES, RejectReason
from appliance.domain.rejection import Rejection
from appliance.outputs.base import Rendered
from appliance.outputs.finishing import finished, maker, making
from appliance.outputs.identity import uid_of
from appliance.outputs.quality_codes import OVER_EXPOSED, UNDER_EXPOSED, fault_of
from appliance.outputs.source_header import ENCODING, evidence_of
from appliance.outputs.structured_report import device_observer

SERIES_NUMBER: Final = 9006
REJECTED: Final = Code("113001", "DCM", "Rejected for Quality Reasons")
TITLE_MODIFIER: Final = Code("113011", "DCM", "Document Title Modifier")
OTHER_FAILURE: Final = Code("111220", "DCM", "Other failure")
REASONS: Final = {
    **{reason.value: Code(code.value, code.scheme, code.meaning) for reason, code in CODES.items()},
    RejectReason.OTHER.value: OTHER_FAILURE,
}
"""By the words that the screen's ledger keeps."""


def render_rejection(acquisition: Acquisition, rejection: Rejection) -> Rendered:
    """The note about all images of the acquisition. Raises InputError when an original is gone."""
    evidence = [evidence_of(instance, more=ENCODING) for instance in acquisition.instances]
    with making("rejection notes"):
        content = ko.KeyObjectSelection(
            document_title=REJECTED,
            referenced_objects=evidence,
            observer_device_context=device_observer(),
            description=f"Rejected by a person at the scanner: {rejection.reason or 'no reason given'}",
        )
        reason = reason_code(acquisition, rejection)
        if reason is not None:
            modifier = sr.CodeContentItem(
                name=TITLE_MODIFIER,
                value=reason,
                relationship_type=sr.RelationshipTypeValues.HAS_CONCEPT_MOD,
            )
            content[0].ContentSequence.insert(0, modifier)
        dataset = ko.KeyObjectSelectionDocument(
            evidence=evidence,
            content=content,
            series_number=SERIES_NUMBER,
            series_instance_uid=uid_of("rejection series", acquisition.first.series_instance_uid),
            instance_number=rejection.decision_id,
            series_description="Rejected at the scanner",
            **maker(),
        )
    local = rejection.decided_at_utc.astimezone(_zone(evidence[0]))
    moment = local.strftime("%Y%m%d"), local.strftime("%H%M%S")
    return Rendered(
        file_name=f"rejection-{rejection.decision_id}.dcm",
        content=finished(dataset, kind="rejection note", evidence=evidence[0], moment=moment),
    )


def reason_code(acquisition: Acquisition, rejection: Rejection) -> Code | None:
    """CID 7011; None where only the words say it."""
    if rejection.reason == RejectReason.EXPOSURE.value:
        deviation = acquisition.first.exposure.deviation_index
        if not deviation:
            return None
        return OVER_EXPOSED if deviation > 0 else UNDER_EXPOSED
    if rejection.reason in REASONS:
        return REASONS[rejection.reason]
    advised = (check for check in rejection.checks if check.verdict is Verdict.REPEAT)
    return next((fault for check in advised if (fault := fault_of(check))), None)


def _zone(evidence: Dataset) -> tzinfo | None:
    """The original's, so that its times and ours are of one clock; None: this machine's."""
    offset = re.fullmatch(r"([+-])(\d\d)(\d\d)", str(evidence.get("TimezoneOffsetFromUTC", "")).strip())
    if offset is None:
        return None
    minutes = 60 * int(offset[2]) + int(offset[3])
    return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
