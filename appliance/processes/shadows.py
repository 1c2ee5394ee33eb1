# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The worker's spare time: models in the shadow look at images that have their answer."""

from __future__ import annotations

from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.domain.shadow import ShadowAnswer
from appliance.errors import EngineError, InputError
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.models.registry import Registry
from appliance.pipeline.shadowing import SHADOWED, shadow_answer, shadowable_tasks
from appliance.store.connection import Database
from appliance.store.landing import Landings
from appliance.store.shadows import Shadows

LOOK_INTERVAL_S: Final = 1.0
"""How often an idle worker asks whether there is something to look at."""


class ShadowWork:
    """One image at a time, and only when nothing else waits: whatever counts goes first."""

    def __init__(self, models: Registry, database: Database, clock: Clock) -> None:
        self._models = models
        self._clock = clock
        self._landings = Landings(database)
        self._shadows = Shadows(database)
        self._asked_ns = 0
        self._log = structlog.get_logger()

    def do_one(self, jail: Jail) -> bool:
        """Look at one image. False: there is none, and it is not asked again before LOOK_INTERVAL_S."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._asked_ns < LOOK_INTERVAL_S * NS_PER_S:
            return False
        cards = (self._models.card(task) for task in self._models.tasks())
        for task in shadowable_tasks([card for card in cards if card is not None]):
            shadow = self._models.shadow(task)
            if shadow is not None and self._look(task, shadow[0], jail):
                return True
        self._asked_ns = now_ns
        return False

    def _look(self, task: str, release: str, jail: Jail) -> bool:
        waiting = self._shadows.next_result(task, release, lane=SHADOWED)
        if waiting is None:
            return False
        rowid, result = waiting
        self._shadows.looked(task, release, rowid, None)  # first: what brings us down is not met again
        answer: ShadowAnswer | None = None
        acquisition = self._landings.acquisition(result.acquisition_id)
        shadow = self._models.shadow(task)
        if shadow is not None and acquisition is not None and acquisition.version == result.version:
            try:
                frames = open_frames(acquisition, jail)
                answer = shadow_answer(task, result, acquisition, frames, shadow[1], self._clock)
            except InputError as error:
                self._log.info("the shadow cannot read an image any more", task=task, reason=error.what)
            except EngineError as error:
                self._log.error("the shadow was taken out", task=task, reason=error.what)
                self._models.give_up_shadow(task, error.what)
        if answer is not None:
            self._shadows.looked(task, release, rowid, answer)
        return True
