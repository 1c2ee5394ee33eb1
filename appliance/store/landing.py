# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What came in: files, the instances in them, and the acquisitions they make, with the lane jobs.

`land` is the acknowledgement: once it returns, the file and the work it causes survive anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_MS
from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Instance,
    Kind,
    LandedFile,
    SliceRef,
    Urgency,
)
from appliance.domain.record import from_json, to_json
from appliance.domain.result import StageTiming
from appliance.store.audit import note_landed
from appliance.store.connection import Database, Row
from appliance.store.jobs import queue_lanes
from appliance.store.outbox import queue_originals

CONCERNING_SQL: Final = (
    "SELECT acquisition_id FROM acquisition WHERE series_instance_uid = ?"
    " UNION SELECT acquisition_id FROM file WHERE json_extract(instance, '$.sop_instance_uid') = ?"
    " AND instance IS NOT NULL AND acquisition_id IS NOT NULL"
)
"""Asked for every file that comes. Without `instance IS NOT NULL` SQLite does not take the partial index, and
reads the headers of all files that ever came."""


class FileStatus(str, Enum):
    """What became of a file."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    IGNORED = "ignored"
    """Recognised and not for us (a report, a plan, a DICOMDIR). Kept, with a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What the store knows about a file's content."""

    sha256: str
    status: FileStatus
    reason: str | None
    source: str
    acquisition_id: str | None
    repeats: int


class Landings:
    """The front half of the store."""

    def __init__(self, database: Database, *, peers_for_originals: tuple[str, ...] = ()) -> None:
        self._database = database
        self._peers = peers_for_originals

    @contextmanager
    def together(self) -> Iterator[None]:
        """Everything that is landed in the block is one transaction: one flush of the disk for many files."""
        with self._database.transaction():
            yield

    def find(self, sha256: str) -> Landing | None:
        """What is known about these bytes; None when they never came."""
        rows = self._database.read(
            "SELECT sha256, status, reason, source, acquisition_id, repeats FROM file WHERE sha256 = ?",
            (sha256,),
        )
        return _landing(rows[0]) if rows else None

    def came_again(self, sha256: str) -> None:
        """The same bytes came once more: counted, nothing else happens."""
        with self._database.transaction() as write:
            write("UPDATE file SET repeats = repeats + 1 WHERE sha256 = ?", (sha256,))

    def land(
        self,
        file: LandedFile,
        *,
        status: FileStatus,
        reason: str | None = None,
        instance: Instance | None = None,
        acquisition: Acquisition | None = None,
        queue: bool = False,
        quiet_left_s: float | None = None,
        amended: tuple[Acquisition, ...] = (),
    ) -> None:
        """Take a durable file over, with the acquisition as it now stands. One transaction.

        `queue` starts the lanes of this version and supersedes the jobs of older ones. `amended`: other
        acquisitions that this file gave a new version (a conflict), whose lanes are queued too. The same
        content twice is counted as a repeat and changes nothing. Raises StoreError: then nothing was taken.
        """
        with self._database.transaction() as write:
            if write("SELECT 1 FROM file WHERE sha256 = ?", (file.sha256,)):
                write("UPDATE file SET repeats = repeats + 1 WHERE sha256 = ?", (file.sha256,))
                return
            write(
                "INSERT INTO file (sha256, path, size_bytes, door, source, urgency, landed_at_utc, boot_id,"
                " noticed_ns, complete_ns, claimed_ns, landed_ns, status, reason, acquisition_id, arrival,"
                " instance) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    file.sha256,
                    str(file.path.relative_to(self._database.data)),
                    file.size_bytes,
                    file.door.value,
                    file.source,
                    file.urgency.value,
                    file.landed_at_utc.isoformat(),
                    self._database.clock.boot_id(),
                    file.noticed_ns,
                    file.complete_ns,
                    file.claimed_ns,
                    file.landed_ns,
                    status.value,
                    reason,
                    acquisition.acquisition_id if acquisition else None,
                    len(acquisition.instances) if acquisition else None,
                    to_json(instance) if instance else None,
                ),
            )
            study = instance.study_instance_uid if instance else None
            exam = acquisition.acquisition_id if acquisition else None
            bad = status is FileStatus.QUARANTINED
            note_landed(self._database, write, file, status.value, bad=bad, exam=exam, study=study)
            if status is not FileStatus.QUARANTINED:
                queue_originals(
                    write,
                    path=file.path.relative_to(self._database.data),
                    peers=self._peers,
                    study_instance_uid=instance.study_instance_uid if instance else None,
                )
            if acquisition is not None:
                self._save(acquisition, quiet_left_s=quiet_left_s)
                if queue:
                    queue_lanes(write, acquisition, clock=self._database.clock)
            for other in amended:
                self._save(other, quiet_left_s=None)
                queue_lanes(write, other, clock=self._database.clock)

    def amend(
        self, acquisition: Acquisition, *, queue: bool = False, quiet_left_s: float | None = None
    ) -> None:
        """Change what is known about an acquisition without a new file (quiet time over, a conflict)."""
        with self._database.transaction() as write:
            self._save(acquisition, quiet_left_s=quiet_left_s)
            if queue:
                queue_lanes(write, acquisition, clock=self._database.clock)

    def _save(self, acquisition: Acquisition, *, quiet_left_s: float | None) -> None:
        """Insert or update the acquisition's own row. Call inside a transaction."""
        first = acquisition.instances[0]
        slices = json.dumps(
            [[s.instance, s.frame, s.position_mm] for s in acquisition.slices], separators=(",", ":")
        )
        self._database.read(
            "INSERT INTO acquisition (acquisition_id, version, kind, completeness, evidence, urgency,"
            " study_instance_uid, series_instance_uid, slices, quiet_left_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (acquisition_id) DO UPDATE SET"
            " version = excluded.version, completeness = excluded.completeness,"
            " evidence = excluded.evidence, urgency = excluded.urgency, slices = excluded.slices,"
            " quiet_left_s = excluded.quiet_left_s",
            (
                acquisition.acquisition_id,
                acquisition.version,
                acquisition.kind.value,
                acquisition.completeness.value,
                acquisition.evidence,
                acquisition.urgency.value,
                first.study_instance_uid,
                first.series_instance_uid,
                slices,
                quiet_left_s,
            ),
        )

    def acquisition(self, acquisition_id: str) -> Acquisition | None:
        """The acquisition with all its instances in order of arrival, as it stands now."""
        rows = self._database.read(
            "SELECT acquisition_id, version, kind, completeness, evidence, urgency, slices"
            " FROM acquisition WHERE acquisition_id = ?",
            (acquisition_id,),
        )
        if not rows:
            return None
        files = self._database.read(
            "SELECT instance FROM file WHERE acquisition_id = ? ORDER BY arrival", (acquisition_id,)
        )
        return _acquisition(rows[0], tuple(from_json(Instance, row[0]) for row in files))

    def of_series(self, series_instance_uid: str) -> tuple[str, ...]:
        """Ids of the acquisitions that carry this SeriesInstanceUID."""
        rows = self._database.read(
            "SELECT acquisition_id FROM acquisition WHERE series_instance_uid = ?", (series_instance_uid,)
        )
        return tuple(row[0] for row in rows)

    def of_study_before(self, acquisition_id: str) -> tuple[str, ...]:
        """Ids of the single images of its study that came before it: a hundred at most."""
        rows = self._database.read(
            "SELECT b.acquisition_id FROM acquisition a JOIN acquisition b USING (study_instance_uid)"
            " WHERE a.acquisition_id = ? AND b.sequence < a.sequence AND b.kind = a.kind"
            " ORDER BY b.sequence DESC LIMIT 100",
            (acquisition_id,),
        )
        return tuple(row[0] for row in rows)

    def concerning(self, *, series_instance_uid: str, sop_instance_uid: str) -> tuple[str, ...]:
        """Ids of the acquisitions of this series, and of those that hold an image of this name."""
        rows = self._database.read(CONCERNING_SQL, (series_instance_uid, sop_instance_uid))
        return tuple(row[0] for row in rows)

    def holding(self, sop_instance_uid: str) -> tuple[tuple[str, Path], ...]:
        """The content and the place of each image of this name, in order of arrival."""
        rows = self._database.read(
            "SELECT sha256, path FROM file WHERE json_extract(instance, '$.sop_instance_uid') = ?"
            " AND instance IS NOT NULL AND removed_at_utc IS NULL ORDER BY rowid",
            (sop_instance_uid,),
        )
        return tuple((sha256, self._database.data / path) for sha256, path in rows)

    def siblings(self, acquisition_id: str) -> tuple[str, ...]:
        """Ids of the other acquisitions of its series, and of those that share an image name with it."""
        rows = self._database.read(
            "SELECT b.acquisition_id FROM acquisition a JOIN acquisition b"
            " ON b.series_instance_uid = a.series_instance_uid"
            " WHERE a.acquisition_id = ?1 AND b.acquisition_id != ?1"
            " UNION SELECT g.acquisition_id FROM file f JOIN file g ON"
            " json_extract(g.instance, '$.sop_instance_uid') = json_extract(f.instance, '$.sop_instance_uid')"
            " WHERE f.acquisition_id = ?1 AND g.acquisition_id != ?1 AND g.instance IS NOT NULL",
            (acquisition_id,),
        )
        return tuple(row[0] for row in rows)

    def write_quiet_left(self, left_s: Mapping[str, float]) -> None:
        """Write down how many seconds of quiet each waiting acquisition still needs."""
        with self._database.transaction() as write:
            for acquisition_id, seconds in left_s.items():
                write(
                    "UPDATE acquisition SET quiet_left_s = ? WHERE acquisition_id = ? AND completeness = ?",
                    (seconds, acquisition_id, Completeness.RECEIVING.value),
                )

    def receiving(self) -> tuple[tuple[str, float | None], ...]:
        """Ids of the acquisitions that still wait for more, with the seconds of quiet left to each."""
        rows = self._database.read(
            "SELECT acquisition_id, quiet_left_s FROM acquisition WHERE completeness = ?",
            (Completeness.RECEIVING.value,),
        )
        return tuple((row[0], row[1]) for row in rows)

    def arrival_timings(self, acquisition_id: str, *, leased_ns: int) -> tuple[StageTiming, ...]:
        """How its last file came in: `landed` (first sight to durable), `waited` (until a worker had it).

        Behind them what `landed` is made of, where it was told: `complete` (until it held still), `claimed`
        (copied, its header read, flushed and read back); the rest is the row. Empty when it came in another
        boot: monotonic readings do not compare then.
        """
        rows = self._database.read(
            "SELECT noticed_ns, complete_ns, claimed_ns, landed_ns, boot_id FROM file"
            " WHERE acquisition_id = ? ORDER BY arrival DESC LIMIT 1",
            (acquisition_id,),
        )
        if not rows or rows[0][4] != self._database.clock.boot_id():
            return ()
        noticed_ns, complete_ns, claimed_ns, landed_ns, _ = rows[0]
        spent_ns = {"landed": landed_ns - noticed_ns, "waited": leased_ns - landed_ns}
        if complete_ns is not None and claimed_ns is not None:
            spent_ns |= {"complete": complete_ns - noticed_ns, "claimed": claimed_ns - complete_ns}
        return tuple(
            StageTiming(stage=stage, duration_ms=spent / NS_PER_MS) for stage, spent in spent_ns.items()
        )


def _landing(row: Row) -> Landing:
    sha256, status, reason, source, acquisition_id, repeats = row
    return Landing(
        sha256=sha256,
        status=FileStatus(status),
        reason=reason,
        source=source,
        acquisition_id=acquisition_id,
        repeats=repeats,
    )


def _acquisition(row: Row, instances: tuple[Instance, ...]) -> Acquisition:
    acquisition_id, version, kind, completeness, evidence, urgency, slices = row
    return Acquisition(
        acquisition_id=acquisition_id,
        version=version,
        kind=Kind(kind),
        completeness=Completeness(completeness),
        evidence=evidence,
        urgency=Urgency(urgency),
        instances=instances,
        slices=tuple(
            SliceRef(instance=instance, frame=frame, position_mm=position)
            for instance, frame, position in json.loads(slices)
        ),
    )
