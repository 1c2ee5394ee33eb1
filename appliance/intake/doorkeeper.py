# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who may come in at the DICOM door, how many at once, how often, and for how long.

One thread of its own looks at every connection a few times a second and cuts those that let us wait: a read
that hangs notices nothing by itself. Accepting never waits for anybody: TLS is agreed on in the
connection's own thread.
"""

from __future__ import annotations

import socket
import ssl
import threading
from socketserver import BaseServer
from types import TracebackType
from typing import Any, Final

import structlog
from pynetdicom.transport import ThreadedAssociationServer
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import ListenerSettings
from appliance.domain.turned_away import Bar
from appliance.intake.refusals import Refusals
from appliance.intake.visit import POLITE_S, MeteredSocket, MeteredTlsSocket, Visit

LOOK_INTERVAL_S: Final = 0.2
S_PER_MIN: Final = 60.0
HALF_OPEN_FACTOR: Final = 2
"""Connections that have not asked for an association yet take no association's place, up to as many again."""
MOST_BUCKETS: Final = 4096
LONGEST_GOODBYE_S: Final = 10.0

REJECT_CALLED: Final = (0x01, 0x01, 0x07)
REJECT_CALLING: Final = (0x01, 0x01, 0x03)
REJECT_LIMIT: Final = (0x02, 0x03, 0x02)
"""Result, source and reason of PS3.8 table 9-21: permanent, permanent, "try again later"."""

_log = structlog.get_logger(__name__)


class Doorkeeper:
    """Counts and times connections. A context manager: it owns the thread that looks after them."""

    def __init__(self, settings: ListenerSettings, *, may_call: frozenset[str], clock: Clock) -> None:
        """`may_call`: AE titles that may call us; empty: everybody."""
        self._settings = settings
        self._may_call = may_call
        self._called = {settings.ae_title.strip(), *(title.strip() for title in settings.called_ae_titles)}
        self._clock = clock
        self._lock = threading.Lock()
        self._visits: list[Visit] = []
        self._buckets: dict[str, tuple[float, int]] = {}
        self._stop = threading.Event()
        self._closing_since_ns: int | None = None
        self._thread = threading.Thread(target=self._look_after, name="doorkeeper", daemon=True)
        self.refusals = Refusals(clock)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        with self._lock:
            for visit in self._visits:
                visit.cut()
                visit.forget()
            self._visits.clear()

    def close_soon(self) -> None:
        """Associations are being aborted; who does not hear of it within POLITE_S is cut off."""
        self._closing_since_ns = self._clock.monotonic_ns()

    def admit(self, connection: socket.socket, host: str) -> Visit | None:
        """Somebody has connected. None: it is closed at once, without a word."""
        self._look_at_all()  # who has just left makes room
        with self._lock:
            bar = self._full_for(host)
            if bar is None:
                visit = Visit(host, connection, self._settings, self._clock)
                self._visits.append(visit)
                return visit
        self.refusals.add(host, bar)
        return None

    def _full_for(self, host: str) -> Bar | None:
        settings = self._settings
        if len(self._visits) >= settings.max_associations * HALF_OPEN_FACTOR:
            return Bar.TOO_MANY
        from_host = sum(visit.host == host for visit in self._visits)
        if from_host >= settings.max_associations_per_host * HALF_OPEN_FACTOR:
            return Bar.TOO_MANY_FROM_HOST
        return None if self._takes_a_token(host) else Bar.TOO_OFTEN

    def _takes_a_token(self, host: str) -> bool:
        """A minute's worth of connections at once, and then as many as the minute brings."""
        per_min, now_ns = self._settings.associations_per_min, self._clock.monotonic_ns()
        tokens, since_ns = self._buckets.pop(host, (float(per_min), now_ns))
        tokens = min(per_min, tokens + (now_ns - since_ns) / NS_PER_S / S_PER_MIN * per_min)
        if len(self._buckets) >= MOST_BUCKETS:
            self._buckets.pop(next(iter(self._buckets)))
        enough = tokens >= 1
        self._buckets[host] = (tokens - 1 if enough else tokens, now_ns)
        return enough

    def rejection(self, visit: Visit, *, called: str, calling: str) -> tuple[int, int, int] | None:
        """The answer to an association request. None: it may come in."""
        visit.ae_title = calling
        bar, answer = self._judge(visit, called=called.strip(), calling=calling.strip())
        if bar is not None:
            self.refusals.add(visit.host, bar, ae_title=calling)
        return answer

    def _judge(
        self, visit: Visit, *, called: str, calling: str
    ) -> tuple[Bar, tuple[int, int, int]] | tuple[None, None]:
        if called not in self._called:
            return Bar.CALLED_TITLE, REJECT_CALLED
        if self._may_call and calling not in self._may_call:
            return Bar.CALLING_TITLE, REJECT_CALLING
        with self._lock:
            inside = [other for other in self._visits if other.is_associated]
            if len(inside) >= self._settings.max_associations:
                return Bar.TOO_MANY, REJECT_LIMIT
            if sum(other.host == visit.host for other in inside) >= self._settings.max_associations_per_host:
                return Bar.TOO_MANY_FROM_HOST, REJECT_LIMIT
            visit.associated()
        return None, None

    def leave(self, visit: Visit) -> None:
        """Its connection has ended before it became an association's."""
        with self._lock:
            if visit in self._visits:
                self._visits.remove(visit)
        visit.forget()

    def _look_after(self) -> None:
        while not self._stop.wait(LOOK_INTERVAL_S):
            self._look_at_all()

    def _look_at_all(self) -> None:
        with self._lock:
            visits = tuple(self._visits)
        for visit in visits:
            self._look_at(visit)

    def _look_at(self, visit: Visit) -> None:
        bar = visit.bar()
        if bar is not None and not visit.is_told:
            visit.is_told = True
            self.refusals.add(visit.host, bar, ae_title=visit.ae_title)
        elif bar is not None:  # it has had one look's time to read our abort
            visit.cut()
        association = visit.association
        if association is not None and association.ident is not None:
            if not association.is_alive():
                self._end(visit)
                return
            if visit.has_gone_unasked():
                visit.wake()
                return
        if not visit.is_cut:
            self._cut_if_late(visit)

    def _end(self, visit: Visit) -> None:
        """The association is over. Its reader may still hang in a packet that never ends."""
        if not visit.association.dul.is_alive():
            self.leave(visit)
        elif visit.is_ending:
            visit.cut()
        visit.is_ending = True  # one look's time for the last word to be sent

    def _cut_if_late(self, visit: Visit) -> None:
        closing_ns = self._closing_since_ns
        if closing_ns is not None:
            patience_ns = POLITE_S * NS_PER_S if visit.is_associated else 0
            if self._clock.monotonic_ns() - closing_ns > patience_ns:
                visit.cut()
        elif visit.overdue():
            self.refusals.add(visit.host, Bar.TOO_SLOW, ae_title=visit.ae_title)
            visit.cut()
        elif visit.is_old():
            _log.info(
                "association ended for its age", host=visit.host, limit=self._settings.association_limit_s
            )
            visit.cut()

    def wait_until_gone(self) -> None:
        """Everybody has left, or LONGEST_GOODBYE_S have passed. After `close_soon`."""
        for _ in range(round(LONGEST_GOODBYE_S / LOOK_INTERVAL_S)):
            with self._lock:
                if not self._visits:
                    return
            self._clock.sleep(LOOK_INTERVAL_S)


class GuardedServer(ThreadedAssociationServer):
    """The library's server with a doorkeeper: nobody waits behind somebody who does not finish."""

    keeper: Doorkeeper
    tls: ssl.SSLContext | None = None

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """False: the connection is closed at once."""
        visit = self.keeper.admit(request, str(client_address[0]))
        if visit is None:
            return False
        self._at_the_door[request] = visit
        return True

    @property
    def _at_the_door(self) -> dict[Any, Visit]:
        """Accepted, and on the way to a thread of its own."""
        waiting: dict[Any, Visit] = self.__dict__.setdefault("waiting", {})
        return waiting

    def stop(self) -> None:
        """Accept nobody any more. Associations go on until they are aborted; then `server_close`."""
        BaseServer.shutdown(self)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """TLS first, then the association, which has a thread of its own."""
        visit = self._at_the_door.pop(request)
        try:
            connection = self._metered(request, visit)
        except OSError:  # it went away, would not speak TLS, or was cut off while it did not
            if not visit.is_cut:
                self.keeper.refusals.add(visit.host, Bar.TLS)
            self.keeper.leave(visit)
            request.close()
            return
        super().process_request_thread(connection, client_address)

    def _metered(self, request: socket.socket, visit: Visit) -> MeteredSocket | MeteredTlsSocket:
        if self.tls is None:
            plain = MeteredSocket(request.family, request.type, request.proto, fileno=request.detach())
            plain.visit = visit
            return plain
        self.tls.sslsocket_class = MeteredTlsSocket
        wrapped = self.tls.wrap_socket(request, server_side=True)
        assert isinstance(wrapped, MeteredTlsSocket)
        wrapped.visit = visit
        return wrapped
