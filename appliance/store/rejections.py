# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Rejection notes on their way out: one for each decision to repeat, held back while that does not stand.

All of it inside the transaction that writes the decision. A note that has left cannot be called back: DICOM
has no such message. Who has one is told, so that a person can ask there.
"""

from __future__ import annotations

from typing import Final

from appliance.store.connection import Execute
from appliance.store.outbox import RENDER_RANK

HELD_BACK: Final = "held back: the decision was taken back before this left"
_OTHERS: Final = (
    "decision_id IN (SELECT decision_id FROM decision WHERE acquisition_id = ? AND decision_id != ?)"
)


def queue_note(write: Execute, *, acquisition_id: str, version: int, decision_id: int) -> None:
    """A note of this decision is to be made."""
    write(
        "INSERT INTO outbox (step, acquisition_id, version, decision_id, rank) VALUES ('render', ?, ?, ?, ?)",
        (acquisition_id, version, decision_id, RENDER_RANK),
    )


def hold_back_all_but(write: Execute, acquisition_id: str, standing: int | None) -> None:
    """Only the decision that stands may have a note on its way; `standing`: None, where none stands."""
    kept = -1 if standing is None else standing
    write(
        f"UPDATE outbox SET done = 1, held_back = 1, reason = ? WHERE done = 0 AND {_OTHERS}",  # noqa: S608
        (HELD_BACK, acquisition_id, kept),
    )
    write(
        "UPDATE outbox SET done = 0, held_back = 0, reason = NULL WHERE decision_id = ? AND held_back = 1",
        (kept,),
    )


def notes_that_left(write: Execute, acquisition_id: str, standing: int | None) -> tuple[str, ...]:
    """Receivers that hold a note of a decision that does not stand any more."""
    rows = write(
        "SELECT DISTINCT peer FROM outbox WHERE step = 'send' AND done = 1 AND reason IS NULL"  # noqa: S608
        f" AND {_OTHERS} ORDER BY peer",
        (acquisition_id, -1 if standing is None else standing),
    )
    return tuple(row[0] for row in rows)
