# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Storage commitment of one receiver: what to ask next, what was answered, what was never answered.

A report comes to the sender, when the receiver answers over the association of the question, or to the DICOM
listener, when it calls back. Both write it into the store; here is what the sender has to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.domain.commitment import CommitmentReport, StoredObject
from appliance.errors import DeliveryError
from appliance.outputs.dicom_send import stored_object
from appliance.store.commitments import Commitments
from appliance.store.outbox import Send

ASKED_AT_ONCE: Final = 100
"""Objects of one question: small enough for any archive, and for a report that is read in one go."""
S_PER_MIN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be asked now."""

    transaction_uid: str
    objects: tuple[StoredObject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the questions since the last look."""

    trouble: str | None
    """In words; None: all was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    deadline_ns: int
    outbox_ids: frozenset[int]


class Confirmations:
    """Of one receiver. Writes to the store, talks to nobody."""

    def __init__(self, name: str, *, wait_min: float, commitments: Commitments, clock: Clock) -> None:
        self._name = name
        self._wait_min = wait_min
        self._commitments = commitments
        self._clock = clock
        self._unasked = len(commitments.unasked(name, limit=ASKED_AT_ONCE))
        # Asked before this start: the answer may have come meanwhile, or gets the whole time once more.
        self._open = {
            transaction_uid: _Open(deadline_ns=self._deadline_ns(), outbox_ids=frozenset())
            for transaction_uid in commitments.transactions(name)
        }
        self.trouble: str | None = None

    def _deadline_ns(self) -> int:
        return self._clock.monotonic_ns() + round(self._wait_min * S_PER_MIN * NS_PER_S)

    def stored(self) -> None:
        """The receiver took one more file."""
        self._unasked += 1

    def many_unasked(self) -> bool:
        """Is it time to ask, although files wait?"""
        return self._unasked >= ASKED_AT_ONCE

    def next_question(self, transaction_uid: str) -> Question | None:
        """What to ask about, written down under this name; None: nothing."""
        if self._unasked == 0:
            return None
        named: list[tuple[Send, StoredObject]] = []
        for send in self._commitments.unasked(self._name, limit=ASKED_AT_ONCE):
            try:
                named.append((send, stored_object(send.path)))
            except DeliveryError as error:
                self._commitments.send_again(send, reason=str(error))
        self._count_unasked(less=len(named))
        if not named:
            return None
        self._commitments.begin(
            transaction_uid, tuple((send, stored.sop_instance_uid) for send, stored in named)
        )
        self._open[transaction_uid] = _Open(
            deadline_ns=self._deadline_ns(), outbox_ids=frozenset(send.outbox_id for send, _ in named)
        )
        return Question(transaction_uid=transaction_uid, objects=tuple(stored for _, stored in named))

    def _count_unasked(self, *, less: int = 0) -> None:
        self._unasked = len(self._commitments.unasked(self._name, limit=ASKED_AT_ONCE + less)) - less

    def asked(self, transaction_uid: str) -> None:
        """The receiver took the question: its time runs from now."""
        if (known := self._open.get(transaction_uid)) is not None:
            self._open[transaction_uid] = _Open(deadline_ns=self._deadline_ns(), outbox_ids=known.outbox_ids)

    def not_asked(self, transaction_uid: str, *, reason: str) -> None:
        """The question did not get through: it is asked again, under another name."""
        self._open.pop(transaction_uid, None)
        self._commitments.not_asked(transaction_uid, reason=reason)
        self._count_unasked()

    def take(self, reports: tuple[CommitmentReport, ...]) -> Outcome | None:
        """Write down what came, and give up what did not; None: no question has ended."""
        for report in reports:
            self._commitments.report(report)
        outcome = None
        for transaction_uid, known in list(self._open.items()):
            sent_back = 0
            if self._clock.monotonic_ns() >= known.deadline_ns:
                words = (
                    f"{self._name} took it and did not say within {self._wait_min:g} min that it keeps it."
                )
                sent_back = self._commitments.overdue(transaction_uid, reason=words)
            elif self._commitments.is_open(transaction_uid):
                continue
            del self._open[transaction_uid]
            sent_back = max(sent_back, self._commitments.sent_back(known.outbox_ids))
            self.trouble = (
                f"{self._name} takes files and does not keep them ({sent_back} of the last)."
                if sent_back
                else None
            )
            outcome = Outcome(trouble=self.trouble)
        return outcome
