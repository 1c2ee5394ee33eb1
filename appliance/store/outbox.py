# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What has to leave the device. A row is written with the thing itself, and ends when a receiver has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.domain.audit import AuditEvent, AuditKind
from appliance.domain.job import Job, Lane
from appliance.store.audit import note
from appliance.store.connection import Database, Execute
from appliance.store.peers import note_away, note_sent

ORIGINAL_RANK: Final = 0
"""Originals leave first: a result can never delay them."""
RENDER_RANK: Final = 10
RESULT_RANK: Final = 20
FLAGGED_AHEAD: Final = 100
"""Taken off for an exam with a flagged finding: its originals, then its results, leave before all others."""
STEP_ASIDE_RANK: Final = 1000
"""Added each time that a receiver refuses this very file: it goes behind what was refused less often."""


ORIGINALS: Final = "spool"
"""First part of an original's path below the data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """A committed result that has yet to be turned into DICOM objects."""

    outbox_id: int
    acquisition_id: str
    version: int
    lane: Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderNote:
    """A person's decision to repeat that has yet to be turned into a rejection note."""

    outbox_id: int
    acquisition_id: str
    decision_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A file that a peer has yet to receive."""

    outbox_id: int
    path: Path
    peer: str
    attempts: int


def queue_originals(
    write: Execute, *, path: Path, peers: tuple[str, ...], study_instance_uid: str | None = None
) -> None:
    """Every peer that wants originals gets this one. Call inside the transaction that lands it."""
    flagged = study_instance_uid is not None and exam_is_flagged(write, study_instance_uid)
    for peer in peers:
        rank = ORIGINAL_RANK - FLAGGED_AHEAD if flagged else ORIGINAL_RANK
        _queue_send(write, path=str(path), peer=peer, rank=rank)


def queue_render(write: Execute, job: Job) -> None:
    """The result of this job is to be rendered. Call inside the transaction that commits it."""
    flagged = _acquisition_is_flagged(write, job.acquisition_id)
    rank = RENDER_RANK - FLAGGED_AHEAD if flagged else RENDER_RANK
    write(
        "INSERT OR IGNORE INTO outbox (step, acquisition_id, version, lane, rank)"
        " VALUES ('render', ?, ?, ?, ?)",
        (job.acquisition_id, job.version, job.lane.value, rank),
    )


def queue_failure(write: Execute, job_id: int) -> None:
    """That this job gave no result is to be said. Call inside the transaction that sets it aside."""
    write(
        "INSERT INTO outbox (step, acquisition_id, version, lane, rank)"
        " SELECT 'render', acquisition_id, version, lane, ? FROM job WHERE job_id = ?",
        (RENDER_RANK, job_id),
    )


def flagged_goes_first(write: Execute, acquisition_id: str) -> None:
    """A finding of this acquisition is flagged: what waits of its exam goes before all else that waits.

    Call inside the transaction that commits the finding, before its own rendering is queued. Once per exam:
    what comes later finds its place when it is queued.
    """
    rows = write("SELECT study_instance_uid FROM acquisition WHERE acquisition_id = ?", (acquisition_id,))
    if not rows or exam_is_flagged(write, rows[0][0]):
        return
    study = rows[0][0]
    write("INSERT INTO flagged_study (study_instance_uid) VALUES (?)", (study,))
    originals = write(
        "SELECT f.path FROM acquisition a JOIN file f ON f.acquisition_id = a.acquisition_id"
        " WHERE a.study_instance_uid = ?",
        (study,),
    )
    for (path,) in originals:
        write(
            "UPDATE outbox SET rank = rank - ? WHERE path = ? AND step = 'send' AND done = 0",
            (FLAGGED_AHEAD, path),
        )
    write(
        "UPDATE outbox SET rank = rank - ? WHERE done = 0 AND acquisition_id IN"
        " (SELECT acquisition_id FROM acquisition WHERE study_instance_uid = ?)",
        (FLAGGED_AHEAD, study),
    )


def exam_is_flagged(write: Execute, study_instance_uid: str) -> bool:
    """Was a finding of this exam flagged?"""
    return bool(write("SELECT 1 FROM flagged_study WHERE study_instance_uid = ?", (study_instance_uid,)))


def _acquisition_is_flagged(write: Execute, acquisition_id: str) -> bool:
    rows = write("SELECT study_instance_uid FROM acquisition WHERE acquisition_id = ?", (acquisition_id,))
    return bool(rows) and exam_is_flagged(write, rows[0][0])


def _queue_send(
    write: Execute,
    *,
    path: str,
    peer: str,
    rank: int,
    acquisition_id: str | None = None,
    decision_id: int | None = None,
) -> None:
    known = write("SELECT 1 FROM outbox WHERE step = 'send' AND path = ? AND peer = ?", (path, peer))
    if not known:
        write(
            "INSERT INTO outbox (step, path, peer, rank, acquisition_id, decision_id)"
            " VALUES ('send', ?, ?, ?, ?, ?)",
            (path, peer, rank, acquisition_id, decision_id),
        )


class Outbox:
    """The queue as the sender sees it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next_render(self) -> Render | RenderNote | None:
        """The oldest result, or decision to repeat, without its DICOM objects."""
        rows = self._database.read(
            "SELECT outbox_id, acquisition_id, version, lane, decision_id FROM outbox"
            " WHERE done = 0 AND step = 'render' ORDER BY rank, outbox_id LIMIT 1"
        )
        if not rows:
            return None
        outbox_id, acquisition_id, version, lane, decision_id = rows[0]
        if decision_id is not None:
            return RenderNote(outbox_id=outbox_id, acquisition_id=acquisition_id, decision_id=decision_id)
        return Render(outbox_id=outbox_id, acquisition_id=acquisition_id, version=version, lane=Lane(lane))

    def rendered(self, render: Render | RenderNote, *, deliveries: tuple[tuple[Path, str], ...]) -> None:
        """The objects are durable; each `(absolute path, receiver)` now waits for its receiver.

        Not so a note that was held back while it was made: it is made again if it is let go.
        """
        decision_id = render.decision_id if isinstance(render, RenderNote) else None
        with self._database.transaction() as write:
            if not write("SELECT 1 FROM outbox WHERE outbox_id = ? AND done = 0", (render.outbox_id,)):
                return
            write("UPDATE outbox SET done = 1 WHERE outbox_id = ?", (render.outbox_id,))
            flagged = _acquisition_is_flagged(write, render.acquisition_id)
            rank = RESULT_RANK - FLAGGED_AHEAD if flagged else RESULT_RANK
            for path, peer in deliveries:
                relative = str(path.relative_to(self._database.data))
                _queue_send(
                    write,
                    path=relative,
                    peer=peer,
                    rank=rank,
                    acquisition_id=render.acquisition_id,
                    decision_id=decision_id,
                )

    def queue(self, path: Path, *, peers: tuple[str, ...]) -> None:
        """This file, which belongs to no result, now waits for its receivers."""
        with self._database.transaction() as write:
            for peer in peers:
                relative = str(path.relative_to(self._database.data))
                _queue_send(write, path=relative, peer=peer, rank=RESULT_RANK)

    def render_failed(self, render: Render | RenderNote, *, reason: str) -> None:
        """This result could not be turned into DICOM objects: said, and not tried again."""
        with self._database.transaction() as write:
            write("UPDATE outbox SET done = 1, reason = ? WHERE outbox_id = ?", (reason, render.outbox_id))

    def next_send(self, peer: str) -> Send | None:
        """The first file that waits for this peer; order is kept."""
        return next(iter(self.upcoming(peer, limit=1)), None)

    def upcoming(self, peer: str, *, limit: int) -> tuple[Send, ...]:
        """The files that go to this peer next."""
        rows = self._database.read(
            "SELECT outbox_id, path, attempts FROM outbox"
            " WHERE done = 0 AND step = 'send' AND peer = ? AND stored = 0 ORDER BY rank, outbox_id LIMIT ?",
            (peer, limit),
        )
        return tuple(
            Send(outbox_id=outbox_id, path=self._database.data / path, peer=peer, attempts=attempts)
            for outbox_id, path, attempts in rows
        )

    def longest_waiting(self) -> Path | None:
        """The file that was queued first of those that still wait for a peer."""
        rows = self._database.read(
            "SELECT path FROM outbox WHERE done = 0 AND step = 'send' AND stored = 0"
            " ORDER BY outbox_id LIMIT 1"
        )
        return self._database.data / rows[0][0] if rows else None

    def sent(self, send: Send) -> None:
        """The peer has it."""
        with self._database.transaction() as write:
            write("UPDATE outbox SET done = 1, reason = NULL WHERE outbox_id = ?", (send.outbox_id,))
            note_sent(write, send.peer, at_utc=self._database.clock.now_utc())
            note(self._database, write, self._left(send))

    def _left(self, send: Send) -> AuditEvent:
        """The file by our own names: those below the data folder are made of hashes and numbers."""
        relative = send.path.relative_to(self._database.data)
        dicom = relative.parts[0] == ORIGINALS or relative.suffix == ".dcm"
        return AuditEvent(
            kind=AuditKind.TRANSFERRED if dicom else AuditKind.EXPORTED,
            who="sender",
            about=(("file", str(relative)), ("receiver", send.peer), ("attempts", str(send.attempts))),
        )

    def stored(self, send: Send) -> None:
        """The peer took it, and is to be asked whether it keeps it (`Commitments`)."""
        with self._database.transaction() as write:
            write("UPDATE outbox SET stored = 1, reason = NULL WHERE outbox_id = ?", (send.outbox_id,))
            note_sent(write, send.peer, at_utc=self._database.clock.now_utc())

    def not_sent(
        self, send: Send, *, reason: str, steps_aside: bool = False, needs_person: bool = False
    ) -> None:
        """The peer did not take it: it stays first in line, or lets the others that wait now go first.

        `needs_person`: waiting alone will not help.
        """
        with self._database.transaction() as write:
            write(
                "UPDATE outbox SET attempts = attempts + 1, reason = ?, rank = rank + ? WHERE outbox_id = ?",
                (reason, STEP_ASIDE_RANK if steps_aside else 0, send.outbox_id),
            )
            if not steps_aside:  # then it is not this file: the receiver takes none
                note_away(
                    write,
                    send.peer,
                    at_utc=self._database.clock.now_utc(),
                    reason=reason,
                    needs_person=needs_person,
                )
