# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One receiver of the sender: what waits for it, when it may be tried, and whether it keeps what it took.

The line decides and writes to the store; a thread does nothing but talk to the receiver, one thing at a time.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import structlog
from pydicom.uid import generate_uid

from appliance.clock import NS_PER_S, Clock
from appliance.errors import DeliveryError
from appliance.outputs.base import Destination, Keeper
from appliance.pipeline.report import fault_words
from appliance.processes.confirmations import Confirmations
from appliance.receivers import SenderSettings
from appliance.store.outbox import Outbox, Send

BACKOFF_FACTOR: Final = 2.0
LOOK_AHEAD: Final = 100
"""Files whose kinds a new connection is negotiated for."""
KEEP_OPEN_S: Final = 5.0
"""An idle connection is given back after this: archives have few, and it costs both sides some work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What a thread is saying to the receiver."""

    done: Future[None]
    send: Send | None = None
    transaction_uid: str | None = None
    """None for both: it gives back an idle connection."""


class ReceiverLine:
    """One receiver, and when it may be tried again."""

    def __init__(
        self,
        destination: Destination,
        settings: SenderSettings,
        *,
        clock: Clock,
        outbox: Outbox,
        threads: ThreadPoolExecutor,
        confirmations: Confirmations | None,
    ) -> None:
        self._log = structlog.get_logger().bind(peer=destination.name)
        self._destination = destination
        self._keeper = destination if isinstance(destination, Keeper) else None
        self._settings = settings
        self._clock = clock
        self._outbox = outbox
        self._threads = threads
        self._confirmations = confirmations
        self._pause_s = settings.retry_first_s
        self._not_before_ns = 0
        self._last_talk_ns = 0
        self.trouble: str | None = None
        self.under_way: Talk | None = None

    def step(self) -> bool:
        """Take what the receiver answered, and hand it what is next. False: there was nothing to do."""
        worked = self._take_answer()
        self._take_confirmations()
        if self.under_way is not None:
            return worked
        may_be_tried = self._clock.monotonic_ns() >= self._not_before_ns
        return (may_be_tried and (self._send_next() or self._ask())) or self._rest() or worked

    def _send_next(self) -> bool:
        opens = self._keeper is not None and not self._keeper.is_open
        upcoming = self._outbox.upcoming(self._destination.name, limit=LOOK_AHEAD if opens else 1)
        if not upcoming or (self._confirmations is not None and self._confirmations.many_unasked()):
            return False
        if self._keeper is not None and opens:
            self._keeper.expect(tuple(send.path for send in upcoming))
        send = upcoming[0]
        self.under_way = Talk(done=self._threads.submit(self._destination.deliver, send.path), send=send)
        return True

    def _ask(self) -> bool:
        if self._confirmations is None or self._keeper is None:
            return False
        question = self._confirmations.next_question(generate_uid(prefix=None))
        if question is None:
            return False
        asked = self._threads.submit(self._keeper.ask, question.objects, question.transaction_uid)
        self.under_way = Talk(done=asked, transaction_uid=question.transaction_uid)
        return True

    def _rest(self) -> bool:
        """Give an idle connection back. It is no work: the loop need not look again for it."""
        idle_ns = self._clock.monotonic_ns() - self._last_talk_ns
        if self._keeper is not None and self._keeper.is_open and idle_ns >= KEEP_OPEN_S * NS_PER_S:
            self.under_way = Talk(done=self._threads.submit(self._keeper.rest))
        return False

    def _take_answer(self) -> bool:
        talk = self.under_way
        if talk is None or not talk.done.done():
            return False
        self.under_way = None
        log = self._log
        self._last_talk_ns = self._clock.monotonic_ns()
        try:
            talk.done.result()
        except DeliveryError as error:
            self._failed(talk, error.what, reason=str(error), error=error)
        except Exception as error:  # this process's one catch-all: the file waits, others flow
            log.error("not sent", exc_info=error)
            self._failed(talk, type(error).__name__, reason=fault_words(error), error=None)
        else:
            self._went_well(talk)
        return True

    def _went_well(self, talk: Talk) -> None:
        if talk.send is not None:
            self._takes_files_again()
            if self._confirmations is None:
                self._pause_s = self._settings.retry_first_s
                self._outbox.sent(talk.send)
            else:
                self._outbox.stored(talk.send)
                self._confirmations.stored()
        elif talk.transaction_uid is not None and self._confirmations is not None:
            self._confirmations.asked(talk.transaction_uid)

    def _takes_files_again(self) -> None:
        if self.trouble and (self._confirmations is None or not self._confirmations.trouble):
            self._log.info("peer takes files again")
            self.trouble = None

    def _failed(self, talk: Talk, what: str, *, reason: str, error: DeliveryError | None) -> None:
        self._say_once(what, reason=reason)
        if talk.send is not None:
            self._outbox.not_sent(
                talk.send,
                reason=reason,
                steps_aside=error is None or error.this_file_only,
                needs_person=error is not None and error.permanent,
            )
        elif talk.transaction_uid is not None and self._confirmations is not None:
            self._confirmations.not_asked(talk.transaction_uid, reason=reason)

    def _take_confirmations(self) -> None:
        if self._confirmations is None or self._keeper is None:
            return
        answer = self._confirmations.take(self._keeper.reports())
        if answer is None:
            return
        if answer.trouble is not None:
            self._say_once(answer.trouble, reason=answer.trouble)
        else:
            self._pause_s = self._settings.retry_first_s
            self._takes_files_again()

    def _say_once(self, what: str, *, reason: str) -> None:
        """Trouble is said when it starts, not at every try; the pause before the next one grows."""
        if self.trouble != what:
            self._log.warning("peer does not take files", reason=reason)
        self.trouble = what
        self._not_before_ns = self._clock.monotonic_ns() + round(self._pause_s * NS_PER_S)
        self._pause_s = min(self._pause_s * BACKOFF_FACTOR, self._settings.retry_longest_s)

    def close(self) -> None:
        """Give back what is kept open. Call when no thread talks any more."""
        if self._keeper is not None:
            self._keeper.close()
