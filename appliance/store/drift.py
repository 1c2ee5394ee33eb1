# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Exams as numbers, scanner by scanner, the baseline of each, and what comparing them said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from appliance.domain.acquisition import Instance
from appliance.domain.drift import DriftExam, DriftReport
from appliance.domain.job import Lane
from appliance.domain.record import from_json, to_json
from appliance.domain.result import LaneResult
from appliance.store.connection import Database, Row

SOURCE: Final = "drift"
"""Its row in `tally_position`."""
_ANSWERS_SQL: Final = (
    "SELECT r.rowid, r.acquisition_id, r.version, r.committed_at_utc,"
    " f.instance FROM result r JOIN file f ON f.rowid = (SELECT l.rowid FROM file l"
    "  WHERE l.acquisition_id = r.acquisition_id ORDER BY l.arrival LIMIT 1)"
    " WHERE r.rowid > ? AND r.lane = ? ORDER BY r.rowid LIMIT ?"
)
_EXAM_SQL: Final = "SELECT exam_id, scanner, detector, numbers, words, answered_at_utc FROM drift_exam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An exam whose triage has come to its end, with everything its lanes said so far."""

    rowid: int
    acquisition_id: str
    version: int
    committed_at_utc: str
    first: Instance
    results: tuple[LaneResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a scanner is compared with."""

    first_exam_id: int
    last_exam_id: int
    fixed_at_utc: str
    by_person: bool


class DriftStore:
    """Its tables, and what fills them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self) -> int:
        """The last result that was looked at."""
        rows = self._database.read("SELECT last_rowid FROM tally_position WHERE source = ?", (SOURCE,))
        return int(rows[0][0]) if rows else 0

    def answered_after(self, rowid: int, *, limit: int) -> tuple[Answered, ...]:
        """The next exams. Triage is the lane after quality control, and answers for every exam."""
        read = self._database.read
        found = []
        for number, acquisition_id, version, committed, instance in read(
            _ANSWERS_SQL, (rowid, Lane.TRIAGE.value, limit)
        ):
            records = read(
                "SELECT record FROM result WHERE acquisition_id = ? AND version = ?",
                (acquisition_id, version),
            )
            found.append(
                Answered(
                    rowid=number,
                    acquisition_id=acquisition_id,
                    version=version,
                    committed_at_utc=committed,
                    first=from_json(Instance, instance),
                    results=tuple(from_json(LaneResult, record) for (record,) in records),
                )
            )
        return tuple(found)

    def keep(self, exams: tuple[tuple[str, DriftExam], ...], *, last_rowid: int) -> None:
        """Add exams (acquisition id, exam): the newest version of each, in its first place."""
        with self._database.transaction() as write:
            for acquisition_id, exam in exams:
                write(
                    "INSERT INTO drift_exam (scanner, detector, acquisition_id, numbers, words,"
                    " answered_at_utc) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (acquisition_id) DO UPDATE SET"
                    " numbers = excluded.numbers, words = excluded.words",
                    (
                        exam.scanner,
                        exam.detector,
                        acquisition_id,
                        json.dumps(exam.numbers),
                        json.dumps(exam.words),
                        exam.answered_at_utc,
                    ),
                )
            write(
                "INSERT INTO tally_position (source, last_rowid) VALUES (?, ?)"
                " ON CONFLICT (source) DO UPDATE SET last_rowid = excluded.last_rowid",
                (SOURCE, last_rowid),
            )

    def scanners(self) -> tuple[str, ...]:
        """Every scanner that an exam came from, the one with the newest exam first."""
        rows = self._database.read(
            "SELECT scanner FROM drift_exam GROUP BY scanner ORDER BY max(exam_id) DESC"
        )
        return tuple(row[0] for row in rows)

    def first_exams(self, scanner: str, *, limit: int) -> tuple[DriftExam, ...]:
        """In the order in which they were answered."""
        return self._exams("WHERE scanner = ? ORDER BY exam_id LIMIT ?", (scanner, limit))

    def newest_exams(self, scanner: str, *, after: int, limit: int) -> tuple[DriftExam, ...]:
        """The last ones behind that exam, in the order in which they were answered."""
        rows = self._exams(
            "WHERE scanner = ? AND exam_id > ? ORDER BY exam_id DESC LIMIT ?", (scanner, after, limit)
        )
        return rows[::-1]

    def baseline(self, scanner: str) -> Baseline | None:
        """None: there is none yet."""
        rows = self._database.read(
            "SELECT first_exam_id, last_exam_id, fixed_at_utc, by_person FROM drift_baseline"
            " WHERE scanner = ?",
            (scanner,),
        )
        if not rows:
            return None
        first, last, fixed, by_person = rows[0]
        return Baseline(first_exam_id=first, last_exam_id=last, fixed_at_utc=fixed, by_person=bool(by_person))

    def baseline_exams(self, scanner: str, baseline: Baseline) -> tuple[DriftExam, ...]:
        """The exams of it."""
        return self._exams(
            "WHERE scanner = ? AND exam_id BETWEEN ? AND ? ORDER BY exam_id",
            (scanner, baseline.first_exam_id, baseline.last_exam_id),
        )

    def fix_baseline(self, scanner: str, exams: tuple[DriftExam, ...], *, by_person: bool) -> None:
        """From now on the scanner is compared with these."""
        with self._database.transaction() as write:
            write(
                "INSERT OR REPLACE INTO drift_baseline"
                " (scanner, first_exam_id, last_exam_id, fixed_at_utc, by_person) VALUES (?, ?, ?, ?, ?)",
                (
                    scanner,
                    exams[0].exam_id,
                    exams[-1].exam_id,
                    self._database.clock.now_utc().isoformat(),
                    int(by_person),
                ),
            )

    def forget_between(self, scanner: str, baseline: Baseline, *, keep: int) -> None:
        """Exams that are neither in the baseline nor among the newest say nothing any more."""
        with self._database.transaction() as write:
            write(
                "DELETE FROM drift_exam WHERE scanner = ?1 AND exam_id NOT BETWEEN ?2 AND ?3 AND exam_id <"
                " (SELECT min(exam_id) FROM (SELECT exam_id FROM drift_exam WHERE scanner = ?1"
                " ORDER BY exam_id DESC LIMIT ?4))",
                (scanner, baseline.first_exam_id, baseline.last_exam_id, keep),
            )

    def keep_report(self, report: DriftReport, *, last_exam_id: int) -> None:
        """Append it."""
        with self._database.transaction() as write:
            write(
                "INSERT INTO drift_report (scanner, last_exam_id, record, made_at_utc) VALUES (?, ?, ?, ?)",
                (report.scanner, last_exam_id, to_json(report), report.made_at_utc),
            )

    def reported_up_to(self, scanner: str) -> int:
        """The newest exam that a report of this scanner knows; 0: there is none."""
        rows = self._database.read(
            "SELECT last_exam_id FROM drift_report WHERE scanner = ? ORDER BY report_id DESC LIMIT 1",
            (scanner,),
        )
        return int(rows[0][0]) if rows else 0

    def latest_reports(self) -> tuple[DriftReport, ...]:
        """The newest of each scanner, last made first."""
        rows = self._database.read(
            "SELECT record FROM drift_report WHERE report_id IN"
            " (SELECT max(report_id) FROM drift_report GROUP BY scanner) ORDER BY report_id DESC"
        )
        return tuple(from_json(DriftReport, record) for (record,) in rows)

    def reports(self, scanner: str, *, limit: int) -> tuple[DriftReport, ...]:
        """The last ones of one scanner, newest first."""
        rows = self._database.read(
            "SELECT record FROM drift_report WHERE scanner = ? ORDER BY report_id DESC LIMIT ?",
            (scanner, limit),
        )
        return tuple(from_json(DriftReport, record) for (record,) in rows)

    def _exams(self, where: str, values: tuple[object, ...]) -> tuple[DriftExam, ...]:
        return tuple(_exam(row) for row in self._database.read(f"{_EXAM_SQL} {where}", values))


def _exam(row: Row) -> DriftExam:
    exam_id, scanner, detector, numbers, words, answered = row
    return DriftExam(
        exam_id=exam_id,
        scanner=scanner,
        detector=detector,
        numbers=json.loads(numbers),
        words=json.loads(words),
        answered_at_utc=answered,
    )
