# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Reports of modalities about their steps (MPPS): kept, then answered, then used."""

from __future__ import annotations

import structlog

from appliance.domain.expected import PerformedStep
from appliance.errors import StoreError
from appliance.intake.performed_report import changed_step, new_step
from appliance.intake.small_message import MESSAGE_FAULTS
from appliance.intake.step_door import (
    DUPLICATE,
    INVALID_VALUE,
    NO_SUCH_STEP,
    PROCESSING_FAILURE,
    SUCCESS,
    StepReport,
)
from appliance.processes.gathering import Gathering
from appliance.store.performed import PerformedSteps


class StepReports:
    """Owned by the watcher's loop."""

    def __init__(self, performed: PerformedSteps, gathering: Gathering) -> None:
        self._performed = performed
        self._gathering = gathering
        self._log = structlog.get_logger()

    def take(self, report: StepReport) -> None:
        """Write it down and answer. Never raises: a report that cannot be kept is sent again, or lost."""
        if not report.answer.set_running_or_notify_cancel():
            return
        try:
            status = self._keep(report)
        except StoreError as error:
            self._log.error("a report about a step was not kept", reason=str(error))
            status = PROCESSING_FAILURE
        except MESSAGE_FAULTS:  # its values are only read now: sequences within sequences, and worse
            self._log.warning("a report about a step cannot be read")
            status = INVALID_VALUE
        report.answer.set_result(status)

    def turn_away(self, report: StepReport) -> None:
        """While stopping."""
        if report.answer.set_running_or_notify_cancel():
            report.answer.set_result(PROCESSING_FAILURE)

    def _keep(self, report: StepReport) -> int:
        known = self._performed.find(report.sop_instance_uid)
        if report.is_new:
            step: PerformedStep = new_step(report.sop_instance_uid, report.content)
            if known is not None:
                return DUPLICATE
        elif known is None:
            return NO_SUCH_STEP
        elif known.ended:
            return PROCESSING_FAILURE  # PS3.4 F.7.2.2.2: an ended step may no longer be updated
        else:
            step = changed_step(known, report.content)
        self._performed.keep(step)
        self._log.info("a step was reported", status=step.status.value, images=len(step.images))
        self._gathering.reported()
        return SUCCESS
