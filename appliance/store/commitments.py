# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Files that a receiver took and has yet to confirm. A row of the outbox ends with the confirmation only."""

from __future__ import annotations

from typing import Final

from appliance.domain.commitment import CommitmentReport
from appliance.store.connection import Database
from appliance.store.outbox import STEP_ASIDE_RANK, Send

NOT_ASKED: Final = 1
ASKED: Final = 2
"""Values of `outbox.stored`."""
FAILURES: Final = {
    0x0110: "it failed while storing it",
    0x0112: "it does not have it",
    0x0119: "it has another kind of object under that name",
    0x0122: "it does not take this kind of object",
    0x0131: "it was asked twice under one name",
    0x0213: "it has no room",
}
"""FailureReason, PS3.3 section C.14.1.1."""


class Commitments:
    """What was taken, what was asked, what was answered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unasked(self, peer: str, *, limit: int) -> tuple[Send, ...]:
        """Files that this receiver took and was not asked about, in order."""
        rows = self._database.read(
            "SELECT outbox_id, path, attempts FROM outbox"
            " WHERE done = 0 AND step = 'send' AND peer = ? AND stored = ? ORDER BY rank, outbox_id LIMIT ?",
            (peer, NOT_ASKED, limit),
        )
        return tuple(
            Send(outbox_id=outbox_id, path=self._database.data / path, peer=peer, attempts=attempts)
            for outbox_id, path, attempts in rows
        )

    def begin(self, transaction_uid: str, named: tuple[tuple[Send, str], ...]) -> None:
        """Write down what is going to be asked, before it is: `(file, its SOPInstanceUID)`."""
        with self._database.transaction() as write:
            for send, sop_instance_uid in named:
                write(
                    "INSERT OR REPLACE INTO commitment (outbox_id, transaction_uid, sop_instance_uid)"
                    " VALUES (?, ?, ?)",
                    (send.outbox_id, transaction_uid, sop_instance_uid),
                )
                write("UPDATE outbox SET stored = ? WHERE outbox_id = ?", (ASKED, send.outbox_id))

    def not_asked(self, transaction_uid: str, *, reason: str) -> None:
        """Asking failed: it is asked again."""
        with self._database.transaction() as write:
            for outbox_id, _ in self._open(transaction_uid):
                write("DELETE FROM commitment WHERE outbox_id = ?", (outbox_id,))
                write(
                    "UPDATE outbox SET stored = ?, reason = ?, attempts = attempts + 1 WHERE outbox_id = ?",
                    (NOT_ASKED, reason, outbox_id),
                )

    def transactions(self, peer: str) -> tuple[str, ...]:
        """Transactions without a whole answer."""
        rows = self._database.read(
            "SELECT DISTINCT c.transaction_uid FROM outbox o JOIN commitment c ON c.outbox_id = o.outbox_id"
            " WHERE o.done = 0 AND o.step = 'send' AND o.peer = ? AND o.stored = ?",
            (peer, ASKED),
        )
        return tuple(row[0] for row in rows)

    def report(self, report: CommitmentReport) -> None:
        """What is kept has arrived for good; what is not kept is sent again, behind what waits now.

        A transaction that nobody began, and an object that was not asked about, change nothing.
        """
        reasons = {lost.sop_instance_uid: lost.failure_reason for lost in report.not_kept}
        with self._database.transaction() as write:
            for outbox_id, sop_instance_uid in self._open(report.transaction_uid):
                if sop_instance_uid in reasons:
                    self._send_again(
                        outbox_id,
                        f"The receiver took it and does not keep it: "
                        f"{failure_words(reasons[sop_instance_uid])}.",
                    )
                elif sop_instance_uid in report.kept:
                    write("DELETE FROM commitment WHERE outbox_id = ?", (outbox_id,))
                    write("UPDATE outbox SET done = 1, reason = NULL WHERE outbox_id = ?", (outbox_id,))

    def overdue(self, transaction_uid: str, *, reason: str) -> int:
        """No answer came: what is still open is sent again. How many files that are."""
        with self._database.transaction():
            rows = self._open(transaction_uid)
            for outbox_id, _ in rows:
                self._send_again(outbox_id, reason)
        return len(rows)

    def send_again(self, send: Send, *, reason: str) -> None:
        """It cannot be asked about."""
        with self._database.transaction():
            self._send_again(send.outbox_id, reason)

    def sent_back(self, outbox_ids: frozenset[int]) -> int:
        """How many of these wait to be sent once more."""
        return sum(
            bool(
                self._database.read(
                    "SELECT 1 FROM outbox WHERE outbox_id = ? AND done = 0 AND stored = 0", (outbox_id,)
                )
            )
            for outbox_id in outbox_ids
        )

    def is_open(self, transaction_uid: str) -> bool:
        """Is an answer still to come?"""
        return bool(
            self._database.read(
                "SELECT 1 FROM commitment WHERE transaction_uid = ? LIMIT 1", (transaction_uid,)
            )
        )

    def _open(self, transaction_uid: str) -> list[tuple[int, str]]:
        rows = self._database.read(
            "SELECT outbox_id, sop_instance_uid FROM commitment WHERE transaction_uid = ?", (transaction_uid,)
        )
        return [(row[0], row[1]) for row in rows]

    def _send_again(self, outbox_id: int, reason: str) -> None:
        """Call inside a transaction."""
        read = self._database.read
        read("DELETE FROM commitment WHERE outbox_id = ?", (outbox_id,))
        read(
            "UPDATE outbox SET stored = 0, attempts = attempts + 1, rank = rank + ?, reason = ?"
            " WHERE outbox_id = ?",
            (STEP_ASIDE_RANK, reason, outbox_id),
        )


def failure_words(failure_reason: int | None) -> str:
    """A FailureReason in words."""
    if failure_reason is None:
        return "it gave no reason"
    return FAILURES.get(failure_reason, f"reason 0x{failure_reason:04X}")
