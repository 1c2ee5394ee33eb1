# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Reports of modalities (MPPS) over the real port, told by pynetdicom's client, beside real images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import ModalityPerformedProcedureStep  # type: ignore[attr-defined]

from appliance.domain.acquisition import Completeness
from appliance.layout import Layout
from appliance.store.performed import PerformedSteps
from tests.processes.test_watcher import Running, ct_slice, listens, running, settings
from tests.running import free_port

SERIES, STUDY, REPORT = "1.2.3.4", "1.2.3", "1.2.9"


class Modality:
    """A CT that reports what it does."""

    def __init__(self, port: int) -> None:
        client = AE(ae_title="CT1")
        client.add_requested_context(ModalityPerformedProcedureStep)
        self.association: Any = client.associate("127.0.0.1", port, ae_title="SCANSIDE")
        assert self.association.is_established

    def begins(self, report: str = REPORT) -> int | None:
        scheduled, content = Dataset(), Dataset()
        scheduled.StudyInstanceUID, scheduled.AccessionNumber = STUDY, "A1"
        content.ScheduledStepAttributesSequence = [scheduled]
        content.PerformedProcedureStepStatus = "IN PROGRESS"
        content.PerformedSeriesSequence = []
        status, _ = self.association.send_n_create(content, ModalityPerformedProcedureStep, report)
        return status.get("Status")

    def ends(self, count: int, *, word: str = "COMPLETED", report: str = REPORT) -> int | None:
        series, content = Dataset(), Dataset()
        series.SeriesInstanceUID = SERIES
        references = []
        for index in range(count):
            reference = Dataset()
            reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
            reference.ReferencedSOPInstanceUID = f"{SERIES}.{index}"
            references.append(reference)
        series.ReferencedImageSequence = references
        content.PerformedProcedureStepStatus = word
        content.PerformedSeriesSequence = [series]
        status, _ = self.association.send_n_set(content, ModalityPerformedProcedureStep, report)
        return status.get("Status")


@contextmanager
def reporting(layout: Layout, **intake: Any) -> Iterator[tuple[Running, Modality]]:
    port = free_port()
    with running(layout, settings(port=port, **intake)) as watcher:
        watcher.until(lambda: listens(port))
        modality = Modality(port)
        try:
            yield watcher, modality
        finally:
            modality.association.release()
            modality.association.join(10)


def slices(layout: Layout, *indices: int) -> list[Path]:
    return [ct_slice(layout.inbox / f"{index}.dcm", index, series=SERIES) for index in indices]


def test_a_series_is_complete_when_all_that_was_reported_is_here(layout: Layout) -> None:
    with reporting(layout) as (watcher, modality):
        assert modality.begins() == 0x0000
        slices(layout, 0, 1, 2)
        watcher.until(lambda: watcher.files() == 3)
        assert modality.ends(4) == 0x0000
        assert not PerformedSteps(watcher.database).nothing_more_comes(STUDY), "one image is on its way"
        assert watcher.only().completeness is Completeness.RECEIVING
        slices(layout, 3)
        watcher.until(lambda: watcher.settled() == 1)
        assert watcher.only().completeness is Completeness.COMPLETE
        assert watcher.only().evidence == "all 4 images of the series that the modality reported"
        assert PerformedSteps(watcher.database).nothing_more_comes(STUDY)


def test_the_report_may_come_last(layout: Layout) -> None:
    with reporting(layout) as (watcher, modality):
        modality.begins()
        slices(layout, 0, 1, 2)
        watcher.until(lambda: watcher.files() == 3)
        assert watcher.settled() == 0
        modality.ends(3, word="DISCONTINUED")
        watcher.until(lambda: watcher.settled() == 1)
        assert watcher.only().completeness is Completeness.COMPLETE


def test_what_never_comes_is_missed_by_number(layout: Layout) -> None:
    with reporting(layout, series_quiet_s=1.0) as (watcher, modality):
        modality.begins()
        modality.ends(5)
        slices(layout, 0, 1, 2)
        watcher.until(lambda: watcher.settled() == 1)
        assert watcher.only().completeness is Completeness.INCOMPLETE
        assert watcher.only().evidence == (
            "2 of the 5 images of the series that the modality reported are missing"
        )


def test_a_step_in_progress_settles_nothing(layout: Layout) -> None:
    with reporting(layout, series_quiet_s=1.0) as (watcher, modality):
        modality.begins()
        modality.ends(3, word="IN PROGRESS")
        slices(layout, 0, 1, 2)
        watcher.until(lambda: watcher.settled() == 1)
        assert watcher.only().completeness is Completeness.QUIET


def test_reports_that_make_no_sense_are_refused_and_cost_no_image(layout: Layout) -> None:
    with reporting(layout) as (watcher, modality):
        assert modality.ends(1, report="1.2.99") == 0x0112, "nobody began that step"
        assert modality.begins() == 0x0000
        assert modality.begins() == 0x0111, "the same name twice"
        assert modality.ends(2) == 0x0000
        assert modality.ends(3) == 0x0110, "an ended step does not change"
        slices(layout, 0, 1)
        watcher.until(lambda: watcher.settled() == 1)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom objects to the values, too
def test_a_report_full_of_nonsense_is_kept_as_far_as_it_can_be_read(layout: Layout) -> None:
    with reporting(layout) as (watcher, modality):
        odd, reference = Dataset(), Dataset()
        odd.SeriesInstanceUID = SERIES
        reference.ReferencedSOPInstanceUID = "1.2.3.4.0"
        nameless = Dataset()
        nameless.ReferencedSOPClassUID = "1.2"
        odd.ReferencedImageSequence = [reference, nameless]
        content = Dataset()
        content.PerformedProcedureStepStatus = "WHATEVER"
        content.PerformedSeriesSequence = [Dataset(), odd]
        status, _ = modality.association.send_n_create(content, ModalityPerformedProcedureStep, REPORT)
        assert status.Status == 0x0000
        step = PerformedSteps(watcher.database).find(REPORT)
        assert step is not None
        assert not step.ended
        assert [image.sop_instance_uid for image in step.images] == ["1.2.3.4.0"]
