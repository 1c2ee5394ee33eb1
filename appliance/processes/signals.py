# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Signals: the stack light follows the state of the device, and who asked for it is told when that changes.

A light that is unplugged is tried again and again, and said once. Nothing is queued for it: what it shows is
what is so now.
"""

from __future__ import annotations

from threading import Event
from types import TracebackType
from typing import Final

import structlog
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.domain.record import to_json
from appliance.durable import write_durably
from appliance.errors import DeliveryError
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.need import Need, Needs
from appliance.outputs.notice import Notice, NoticeKind
from appliance.outputs.stack_light import Lamps, StackLight, lamps_of, open_light
from appliance.processes.lock import only_one
from appliance.processes.table import device_event_receivers
from appliance.receivers import NOTICE
from appliance.store.connection import Database
from appliance.store.outbox import Outbox

NAME: Final = "signals"
LOOK_S: Final = 0.5
"""How often the light is looked after; also half of the flashing."""
REPEAT_S: Final = 1.0
"""A serial light hears at least this often that we still live."""
REOPEN_S: Final = 5.0
LASTS_S: Final = 20.0
"""Trouble with the device is told when it has lasted this long: a process that is restarted is none."""
FOLDER: Final = "device"
"""Under `results`: notices that belong to no exam."""
WELL_AGAIN: Final = "The device needs nobody any more."


class Signals:
    """Looks, shows and tells. A context manager: it owns the light."""

    def __init__(self, *, settings: Settings, layout: Layout, clock: Clock, database: Database) -> None:
        self._settings = settings
        self._clock = clock
        self._log = structlog.get_logger()
        self._folder = layout.results / FOLDER
        self._outbox = Outbox(database)
        self._listeners = device_event_receivers(settings)
        self._beat = Heartbeat(layout.run, NAME, clock)
        self._needs = Needs(
            settings=settings.light,
            peers=tuple(receiver.name for receiver in settings.sender.receivers),
            run=layout.run,
            database=database,
            clock=clock,
        )
        self._light: StackLight | None = None
        self._light_trouble: str | None = None
        self._open_again_ns = 0
        self._shown: Lamps | None = None
        self._shown_ns = 0
        self._called: frozenset[str] = frozenset()
        self._buzz_until_ns = 0
        self._trouble = self._told = ""
        self._trouble_since_ns = clock.monotonic_ns()

    def run(self, stop: Event) -> None:
        """Work until told to stop."""
        while not stop.is_set():
            self.step()
            stop.wait(LOOK_S)

    def step(self) -> None:
        """Look once; show and tell what there is. Raises StoreError when the store cannot be read."""
        need = self._needs.look()
        self._show(need)
        self._tell(need.trouble)
        self._beat.beat(self._light_trouble or f"{need.state.value}: {need.why}")

    def _show(self, need: Need) -> None:
        if self._settings.light.kind == "none":
            return
        now_ns = self._clock.monotonic_ns()
        if need.calling - self._called:
            self._buzz_until_ns = now_ns + round(self._settings.light.buzz_s * NS_PER_S)
        self._called = need.calling
        flash = now_ns // round(LOOK_S * NS_PER_S) % 2 == 0
        buzzer = bool(need.calling) and now_ns < self._buzz_until_ns
        lamps = lamps_of(need.state, flash=flash, buzzer=buzzer)
        if lamps == self._shown and now_ns - self._shown_ns < REPEAT_S * NS_PER_S:
            return
        try:
            light = self._opened(now_ns)
            if light is None:
                return
            light.show(lamps)
        except DeliveryError as error:
            self._lost_the_light(error, now_ns)
            return
        if self._light_trouble:
            self._log.info("light works again")
        self._light_trouble = None
        self._shown, self._shown_ns = lamps, now_ns

    def _opened(self, now_ns: int) -> StackLight | None:
        if self._light is None and now_ns >= self._open_again_ns:
            self._light = open_light(self._settings.light)
        return self._light

    def _lost_the_light(self, error: DeliveryError, now_ns: int) -> None:
        if self._light_trouble != error.what:
            self._log.warning("light does not work", reason=str(error))
        self._light_trouble = error.what
        self._open_again_ns = now_ns + round(REOPEN_S * NS_PER_S)
        self._close()

    def _tell(self, trouble: str) -> None:
        """Those who asked for it, once the trouble has lasted, and once when it is over."""
        now_ns = self._clock.monotonic_ns()
        if trouble != self._trouble:
            self._trouble, self._trouble_since_ns = trouble, now_ns
        lasted = now_ns - self._trouble_since_ns >= LASTS_S * NS_PER_S
        if trouble == self._told or not lasted or not self._listeners:
            return
        moment = self._clock.now_utc()
        notice = Notice(
            kind=NoticeKind.DEVICE,
            site=self._settings.site_name,
            station=None,
            task=None,
            finding=None,
            band=None,
            advice=trouble or WELL_AGAIN,
            time=f"{moment:%Y-%m-%d %H:%M} UTC",
            link=None,
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{moment:%Y%m%dT%H%M%S%f}{NOTICE}"
        write_durably(file, to_json(notice).encode("utf-8"))
        self._outbox.queue(file, peers=self._listeners)
        self._told = trouble

    def _close(self) -> None:
        if self._light is not None:
            self._light.__exit__(None, None, None)
        self._light = self._shown = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()


def run_signals(settings: Settings, layout: Layout, clock: Clock, stop: Event) -> None:
    """The process: one per data folder."""
    with (
        only_one(layout.run, NAME),
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        Signals(settings=settings, layout=layout, clock=clock, database=database) as signals,
    ):
        signals.run(stop)
