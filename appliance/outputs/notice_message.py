# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A lane's answer as a notice: of what is flagged, or of an image that should be repeated."""

from __future__ import annotations

import re
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.config import Settings
from appliance.device_key import device_key, link_of
from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Decision
from appliance.domain.quality import Verdict
from appliance.domain.record import to_json
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.outputs.base import Rendered
from appliance.outputs.notice import HIGH, RAISED, Notice, NoticeKind
from appliance.outputs.told import BANDS
from appliance.receivers import NAMED_NOTICE

MOMENT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})")
"""How a header begins the time of an acquisition (VR DT, or DA and TM)."""


class Notices:
    """An `Output`."""

    name = "notice"

    def __init__(self, ending: str, *, site_name: str, key: Ed25519PrivateKey) -> None:
        self._ending = ending
        self._site_name = site_name
        self._key = key

    def render(self, acquisition: Acquisition, result: LaneResult) -> tuple[Rendered, ...]:
        """One notice; none where nobody has to look."""
        flagged = sorted(
            (finding for finding in result.findings if finding.is_flagged),
            key=lambda finding: -finding.probability,
        )
        repeats = [check for check in result.quality if check.verdict is Verdict.REPEAT]
        if flagged:
            notice = self._notice(
                NoticeKind.FINDING,
                acquisition,
                task=", ".join(sorted({finding.task for finding in flagged})),
                finding=", ".join(
                    f"{finding.code.meaning} ({BANDS[finding.decision]})" for finding in flagged
                ),
                band=HIGH if any(finding.decision is Decision.PRESENT for finding in flagged) else RAISED,
            )
        elif repeats:
            notice = self._notice(
                NoticeKind.REPEAT,
                acquisition,
                task=", ".join(check.criterion for check in repeats),
                advice=" ".join(check.advice for check in repeats),
            )
        else:
            return ()
        content = to_json(notice).encode("utf-8")
        return (Rendered(file_name=f"notice-{result.lane.value}{self._ending}", content=content),)

    def _notice(
        self,
        kind: NoticeKind,
        acquisition: Acquisition,
        *,
        task: str,
        finding: str | None = None,
        band: str | None = None,
        advice: str | None = None,
    ) -> Notice:
        first = acquisition.first
        named = self._ending == NAMED_NOTICE
        return Notice(
            kind=kind,
            site=self._site_name,
            station=first.equipment.station_name,
            task=task,
            finding=finding,
            band=band,
            advice=advice,
            time=_moment_of(first.acquired_at),
            link=link_of(self._key, acquisition.acquisition_id),
            patient_name=first.patient.patient_name if named else None,
            patient_id=first.patient.patient_id if named else None,
        )


def _moment_of(acquired_at: str | None) -> str | None:
    """For people: 2026-01-02 10:16; None where the header says nothing of this form."""
    found = MOMENT.match(acquired_at or "")
    if found is None:
        return None
    year, month, day, hour, minute = found.groups()
    return f"{year}-{month}-{day} {hour}:{minute}"


def message(ending: str, settings: Settings, layout: Layout) -> Notices:
    """What renders files with this ending. Raises StoreError when this device's key cannot be had."""
    return Notices(ending, site_name=settings.site_name, key=device_key(layout.keys))
