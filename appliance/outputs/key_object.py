# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Key images: which images of a study somebody should look at first, as a Key Object Selection.

For findings at or above their specific operating point only. A series is named by the slices that are marked
in it, or as a whole. No key object never means that there is nothing to see.
"""

from __future__ import annotations

from typing import Final

from highdicom import ko
from pydicom.sr.coding import Code

from appliance.domain.acquisition import Acquisition, Instance
from appliance.domain.finding import Decision, Finding
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.outputs.base import Rendered
from appliance.outputs.finishing import finished, maker, making
from appliance.outputs.identity import uid_of
from appliance.outputs.presentation_state import words_of
from appliance.outputs.regions import regions_of, shown_marks
from appliance.outputs.source_header import evidence_of
from appliance.outputs.structured_report import device_observer

SERIES_NUMBER: Final = 9004
OF_INTEREST: Final = Code("113000", "DCM", "Of Interest")


class KeyObject:
    """An `Output`."""

    name = "key_object"

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One selection if anything was found present, else none. Raises InputError."""
        present = tuple(found for found in result.findings if found.decision is Decision.PRESENT)
        if not present:
            return ()
        evidence = [evidence_of(instance) for instance in _looked_for(acquisition, present)]
        with making("key objects"):
            dataset = ko.KeyObjectSelectionDocument(
                evidence=evidence,
                content=ko.KeyObjectSelection(
                    document_title=OF_INTEREST,
                    referenced_objects=evidence,
                    observer_device_context=device_observer(),
                    description="; ".join((*map(words_of, present), "not for diagnosis")),
                ),
                series_number=SERIES_NUMBER,
                series_instance_uid=uid_of("key object series", acquisition.first.series_instance_uid),
                instance_number=list(Lane).index(result.lane) + 1,
                series_description="AI flagged images, not for diagnosis",
                **maker(),
            )
        content = finished(dataset, kind="key object", evidence=evidence[0])
        return (Rendered(file_name=f"key-object-{result.lane.value}.dcm", content=content),)


def _looked_for(acquisition: Acquisition, present: tuple[Finding, ...]) -> tuple[Instance, ...]:
    marks = tuple(mark for finding in present for mark in shown_marks(finding))
    marked = {region.instance.sop_instance_uid: region.instance for region in regions_of(acquisition, marks)}
    return tuple(marked.values()) or acquisition.instances


OUTPUT: Final = KeyObject()
