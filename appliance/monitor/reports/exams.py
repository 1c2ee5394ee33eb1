# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The acquisitions of a period with what was said about them: what every report counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Final

from appliance.domain.acquisition import Instance, Kind
from appliance.domain.finding import Finding
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck
from appliance.domain.record import from_json
from appliance.domain.result import LaneResult
from appliance.errors import ConfigError
from appliance.store.connection import Database
from appliance.store.decisions import Decision, Decisions

ROOM_NOT_KNOWN: Final = "room not known"
NOT_SAID: Final = "not said"
"""For a body part, view, sex or age that the header does not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole days of the device's own time zone."""

    first_day: date
    last_day: date

    @property
    def since(self) -> datetime:
        """The midnight that begins it."""
        return _midnight(self.first_day)

    @property
    def until(self) -> datetime:
        """The midnight that ends it; not in it any more."""
        return _midnight(self.last_day + timedelta(days=1))

    @property
    def words(self) -> str:
        """First and last day: 2026-01-01 to 2026-03-31."""
        return f"{self.first_day.isoformat()} to {self.last_day.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One acquisition."""

    acquisition_id: str
    version: int
    kind: Kind
    first: Instance
    """Its header speaks for the acquisition."""
    arrived_at_utc: datetime
    """When its first file had landed."""
    decision: Decision | None
    """Keep or repeat, as it stands; None: nobody decided."""
    quality: tuple[QualityCheck, ...]
    findings: tuple[Finding, ...]
    triage_at_utc: datetime | None
    """When the findings were there; None: there is no triage result."""
    models: dict[str, str]
    """Task to `task@version` of those who answered in the triage."""

    @property
    def room(self) -> str:
        """StationName, else DeviceSerialNumber."""
        equipment = self.first.equipment
        return equipment.station_name or equipment.device_serial_number or ROOM_NOT_KNOWN

    @property
    def body_part(self) -> str:
        """As the header says it."""
        return self.first.body_part or NOT_SAID

    @property
    def view(self) -> str:
        """As the header says it."""
        return self.first.view_position or NOT_SAID

    @property
    def day(self) -> date:
        """Of arrival, in the device's own time zone."""
        return self.arrived_at_utc.astimezone().date()

    @property
    def month(self) -> str:
        """YYYY-MM of arrival."""
        return f"{self.day:%Y-%m}"

    @property
    def is_flagged(self) -> bool:
        """At least one finding is."""
        return any(finding.is_flagged for finding in self.findings)


def period_of(first: str | None, last: str | None, *, today: date, days: int) -> Period:
    """The days that a person named; without, the last `days` up to `today`. Raises ConfigError."""
    last_day = today if last is None else _day(last, "--to")
    first_day = last_day - timedelta(days=days - 1) if first is None else _day(first, "--from")
    if first_day > last_day:
        raise ConfigError(
            f"The period begins on {first_day.isoformat()} and ends before, on {last_day.isoformat()}.",
            remedy="Swap --from and --to.",
        )
    return Period(first_day=first_day, last_day=last_day)


def read_exams(database: Database, period: Period) -> tuple[Exam, ...]:
    """Acquisitions that arrived in the period, in order of arrival, with results of the last version."""
    standing = Decisions(database).standing()
    rows = database.read(
        "SELECT a.acquisition_id, a.version, a.kind, f.instance, f.landed_at_utc, q.record, t.record,"
        " t.committed_at_utc FROM acquisition a JOIN file f ON f.rowid = (SELECT g.rowid FROM file g"
        " WHERE g.acquisition_id = a.acquisition_id ORDER BY g.arrival LIMIT 1)"
        " LEFT JOIN result q ON q.acquisition_id = a.acquisition_id AND q.version = a.version AND q.lane = ?"
        " LEFT JOIN result t ON t.acquisition_id = a.acquisition_id AND t.version = a.version AND t.lane = ?"
        " WHERE f.landed_at_utc >= ? AND f.landed_at_utc < ? ORDER BY a.sequence",
        (
            *(Lane.QUALITY.value, Lane.TRIAGE.value),
            *(_utc(period.since), _utc(period.until)),
        ),
    )
    exams = []
    for acquisition_id, version, kind, instance, landed, quality, triage, triage_at in rows:
        checked = from_json(LaneResult, quality) if quality else None
        answered = from_json(LaneResult, triage) if triage else None
        exams.append(
            Exam(
                acquisition_id=acquisition_id,
                version=version,
                kind=Kind(kind),
                first=from_json(Instance, instance),
                arrived_at_utc=datetime.fromisoformat(landed),
                decision=standing.get(acquisition_id),
                quality=() if checked is None else checked.quality,
                findings=() if answered is None else answered.findings,
                triage_at_utc=datetime.fromisoformat(triage_at) if triage_at else None,
                models={} if answered is None else {use.task: use.model for use in answered.engines},
            )
        )
    return tuple(exams)


def by_study(exams: Iterable[Exam]) -> dict[str, list[Exam]]:
    """The acquisitions of each study: what a report or a laboratory speaks about."""
    studies: dict[str, list[Exam]] = {}
    for exam in exams:
        studies.setdefault(exam.first.study_instance_uid, []).append(exam)
    return studies


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time()).astimezone()


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat()


def _day(words: str, option: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError as error:
        raise ConfigError(f"{option} {words!r} is no day.", remedy="Write it as 2026-01-31.") from error
