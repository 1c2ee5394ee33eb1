# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which images may be removed when the disk fills up. Never the unread, the unsent or the undecided.

An exam may go when all of this holds of it:
  whole     it waits for no more images, and no lane of it waits or works
  sent      every receiver that wants originals has each of its images, nothing of it is on its way, and there
            is at least one such receiver
  read      a person opened it, or decided about it, in its present version
  decided   where a check said CHECK or REPEAT a decision stands; where a model found something a person told
            somebody, agreed or disagreed, or decided
  old       its last image came longer ago than `keep_days`
Files that gave no exam (quarantined, ignored) never go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from appliance.domain.acquisition import Completeness
from appliance.domain.audit import AuditEvent, AuditKind
from appliance.domain.finding import Decision
from appliance.domain.job import JobState
from appliance.domain.quality import Verdict
from appliance.layout import Layout
from appliance.store.audit import note
from appliance.store.connection import Database, Execute
from appliance.store.decisions import Decisions

_MINE: Final = (
    "(o.acquisition_id = ?1 OR o.path IN (SELECT f.path FROM file f WHERE f.acquisition_id = ?1)"
    " OR o.path GLOB 'results/' || ?1 || '-v*' OR o.decision_id IN"
    " (SELECT d.decision_id FROM decision d WHERE d.acquisition_id = ?1))"
)
"""Rows of the outbox that belong to an exam."""
_ACTED: Final = ("told", "escalated")
"""Deeds by which a finding has reached somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The images of one exam that were removed."""

    acquisition_id: str
    version: int
    files: int
    freed_bytes: int
    sent_to: tuple[str, ...]


class Retention:
    """Looks for what may go, and lets it go. One process owns it."""

    def __init__(self, database: Database, *, receivers: tuple[str, ...], keep_days: float) -> None:
        self._database = database
        self._receivers = receivers
        self._keep_days = keep_days
        self._layout = Layout(data=database.data)

    def candidates(self) -> tuple[str, ...]:
        """Exams that may go, oldest first."""
        read = self._database.read
        rows = read("SELECT acquisition_id FROM acquisition ORDER BY sequence")
        return tuple(row[0] for row in rows if self.why_kept(row[0]) is None)

    def why_kept(self, acquisition_id: str, read: Execute | None = None) -> str | None:
        """Why the images of this exam must stay, in a word; None: they may go."""
        read = read or self._database.read
        rows = read(
            "SELECT version, completeness FROM acquisition WHERE acquisition_id = ?", (acquisition_id,)
        )
        if not rows:
            return "unknown"
        version, completeness = rows[0]
        if completeness == Completeness.RECEIVING.value or self._works(read, acquisition_id):
            return "not whole"
        reasons: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("removed", lambda: self._is_removed(read, acquisition_id)),
            ("young", lambda: self._is_young(read, acquisition_id)),
            ("unsent", lambda: not self._is_sent(read, acquisition_id)),
            ("unread", lambda: not self._is_read(read, acquisition_id, version)),
            ("undecided", lambda: self._is_undecided(read, acquisition_id, version)),
        )
        return next((word for word, holds in reasons if holds()), None)

    def remove(self, acquisition_id: str) -> Removal | None:
        """Remove the images of one exam. None: it may not go (any more). Raises StoreError, OSError.

        First the rows say so, then the files go: a power cut between the two leaves files that `finish`
        removes, never a row that promises an image that is gone.
        """
        with self._database.transaction() as write:
            if self.why_kept(acquisition_id, write) is not None:
                return None
            version = int(
                write("SELECT version FROM acquisition WHERE acquisition_id = ?", (acquisition_id,))[0][0]
            )
            files = write(
                "UPDATE file SET removed_at_utc = ? WHERE acquisition_id = ? RETURNING path, size_bytes",
                (self._database.clock.now_utc().isoformat(), acquisition_id),
            )
            removal = Removal(
                acquisition_id=acquisition_id,
                version=version,
                files=len(files),
                freed_bytes=sum(row[1] for row in files),
                sent_to=self._receivers,
            )
            note(self._database, write, _removed(removal))
        self.finish(acquisition_id)
        return removal

    def finish(self, acquisition_id: str | None = None) -> int:
        """Take files off the disk whose rows say that they are removed. Returns how many were still there.

        Under the store's lock: an image that comes again in this moment is either still marked as removed,
        and its acknowledgement fails, or it is not marked any more, and stays. Raises StoreError, OSError.
        """
        gone = 0
        with self._database.transaction() as write:
            rows = write(
                "SELECT path FROM file WHERE removed_at_utc IS NOT NULL"
                " AND (?1 IS NULL OR acquisition_id = ?1)",
                (acquisition_id,),
            )
            for (path,) in rows:
                file = self._database.data / path
                if file.is_file():
                    file.unlink()
                    gone += 1
        return gone

    def views_that_may_go(self) -> tuple[Path, ...]:
        """Folders of pictures that nobody needs: of versions that are past, and of exams whose images went.

        Those of exams that somebody may still open stay: without its view an exam cannot be read.
        """
        folder = self._layout.views
        if not folder.is_dir():
            return ()
        versions: dict[str, int] = dict(
            self._database.read("SELECT acquisition_id, version FROM acquisition")
        )
        removed = {
            row[0]
            for row in self._database.read(
                "SELECT DISTINCT acquisition_id FROM file WHERE removed_at_utc IS NOT NULL"
            )
        }
        found = []
        for view in sorted(folder.iterdir()):
            name, _, number = view.name.rpartition("-v")
            known = versions.get(name)
            if known is not None and number.isdigit() and (int(number) < known or name in removed):
                found.append(view)
        return tuple(found)

    def _works(self, read: Execute, acquisition_id: str) -> bool:
        open_states = (JobState.QUEUED.value, JobState.LEASED.value)
        return bool(
            read(
                "SELECT 1 FROM job WHERE acquisition_id = ? AND state IN (?, ?) LIMIT 1",
                (acquisition_id, *open_states),
            )
        )

    def _is_removed(self, read: Execute, acquisition_id: str) -> bool:
        return not read(
            "SELECT 1 FROM file WHERE acquisition_id = ? AND removed_at_utc IS NULL", (acquisition_id,)
        )

    def _is_young(self, read: Execute, acquisition_id: str) -> bool:
        rows = read("SELECT max(landed_at_utc) FROM file WHERE acquisition_id = ?", (acquisition_id,))
        landed = datetime.fromisoformat(rows[0][0])
        return self._database.clock.now_utc() - landed < timedelta(days=self._keep_days)

    def _is_sent(self, read: Execute, acquisition_id: str) -> bool:
        if not self._receivers:
            return False
        if read(f"SELECT 1 FROM outbox o WHERE o.done = 0 AND {_MINE} LIMIT 1", (acquisition_id,)):  # noqa: S608
            return False
        for receiver in self._receivers:
            missing = read(
                "SELECT 1 FROM file f WHERE f.acquisition_id = ? AND NOT EXISTS (SELECT 1 FROM outbox o"
                " WHERE o.step = 'send' AND o.peer = ? AND o.path = f.path AND o.done = 1"
                " AND o.held_back = 0) LIMIT 1",
                (acquisition_id, receiver),
            )
            if missing:
                return False
        return True

    def _is_read(self, read: Execute, acquisition_id: str, version: int) -> bool:
        seen = read(
            "SELECT 1 FROM deed WHERE acquisition_id = ? AND version = ? LIMIT 1", (acquisition_id, version)
        )
        return bool(seen) or self._decision_stands(acquisition_id, version)

    def _decision_stands(self, acquisition_id: str, version: int) -> bool:
        decision = Decisions(self._database).latest(acquisition_id)
        return decision is not None and decision.version == version

    def _is_undecided(self, read: Execute, acquisition_id: str, version: int) -> bool:
        if self._decision_stands(acquisition_id, version):
            return False
        bad_check = read(
            "SELECT 1 FROM result r, json_each(r.record, '$.quality') c WHERE r.acquisition_id = ?"
            " AND r.version = ? AND json_extract(c.value, '$.verdict') IN (?, ?) LIMIT 1",
            (acquisition_id, version, Verdict.CHECK.value, Verdict.REPEAT.value),
        )
        found = read(
            "SELECT 1 FROM result r, json_each(r.record, '$.findings') c WHERE r.acquisition_id = ?"
            " AND r.version = ? AND json_extract(c.value, '$.decision') != ? LIMIT 1",
            (acquisition_id, version, Decision.ABSENT.value),
        )
        acted = read(
            "SELECT 1 FROM deed WHERE acquisition_id = ?1 AND version = ?2 AND deed IN (?3, ?4)"
            " UNION SELECT 1 FROM opinion WHERE acquisition_id = ?1 AND version = ?2",
            (acquisition_id, version, *_ACTED),
        )
        return bool(bad_check) or bool(found and not acted)


def _removed(removal: Removal) -> AuditEvent:
    return AuditEvent(
        kind=AuditKind.REMOVED,
        who="keeper",
        exam=removal.acquisition_id,
        about=(
            ("version", str(removal.version)),
            ("files", str(removal.files)),
            ("bytes", str(removal.freed_bytes)),
            ("held by", ", ".join(removal.sent_to)),
        ),
    )
