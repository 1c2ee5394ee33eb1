# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which model answers for which task: what was activated on this device, else what the folders hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Self

from appliance.domain.card import ModelCard
from appliance.engines.base import Engine
from appliance.errors import EngineError, ModelBundleError, ScansideError
from appliance.models.bundle import Bundle
from appliance.models.candidate import Candidate
from appliance.models.comeback import Comebacks
from appliance.models.folders import read_folders
from appliance.models.keys import Trust, read_trust, shipped_keys
from appliance.models.parity import ask_known
from appliance.models.passport import Passport
from appliance.models.placing import Placing
from appliance.models.selection import PRECISIONS, Selection, in_words, plan_of
from appliance.models.served import Served, Surroundings, served_by

SHIPPED: Final = "models_shipped"
"""Folder of the appliance package that holds the reference bundles."""


def shipped_models() -> Path:
    """The folder of the bundles that come with the appliance."""
    return Path(str(resources.files("appliance"))) / SHIPPED


class Registry:
    """All bundles of folders and slots, and one loaded engine per task that was asked for. One thread."""

    def __init__(
        self,
        folders: tuple[Path, ...],
        *,
        engines: tuple[str, ...],
        threads: int,
        cache: Path,
        precisions: tuple[str, ...] = PRECISIONS,
        trust: Trust | None = None,
        surroundings: Surroundings = Surroundings(),  # noqa: B008  (frozen, of frozen things)
    ) -> None:
        """Verify every bundle. One that is refused stays out and is told in `problems`; the others serve.

        `trust`: whose bundles are taken (None: those signed with the shipped keys).
        """
        trust = read_trust((shipped_keys(),)) if trust is None else trust
        self.selection = Selection(
            plan_of(engines),
            precisions=precisions,
            threads=threads,
            cache=cache,
            alive=surroundings.alive,
            server=surroundings.server,
            never=surroundings.given_up,
        )
        """Chooses the engine of a bundle."""
        self._at_change = surroundings.at_change
        self._releases = surroundings.releases
        self._comebacks: Comebacks[Served] = Comebacks(self.selection, surroundings.retry)
        self._served: dict[str, Served] = {}
        self._shadows: dict[str, tuple[str, Served]] = {}
        self._unserved: dict[str, EngineError] = {}
        self._given_up: dict[str, dict[str, str]] = {}
        self.problems: list[ModelBundleError] = [*trust.problems]
        """Bundles and keys that were refused, and why."""
        self._placing = Placing(
            read_folders(
                folders,
                unpack_into=cache / "bundles",
                trust=trust,
                releases=surroundings.releases,
                problems=self.problems,
            ),
            surroundings.slots,
            releases=surroundings.releases,
            mends=surroundings.mends_slots,
            problems=self.problems,
        )

    def tasks(self) -> tuple[str, ...]:
        """Tasks that have a bundle."""
        return self._placing.tasks()

    def card(self, task: str) -> ModelCard | None:
        """The card of the task's bundle, without loading anything; None when there is none."""
        bundle = self.bundle(task)
        return None if bundle is None else bundle.card

    def bundle(self, task: str) -> Bundle | None:
        """The bundle that answers for the task; None when there is none."""
        placed = self._placing.of(task)
        return None if placed is None else placed.bundle

    def served(self, task: str) -> Served:
        """The task's model, loaded. Raises EngineError when there is none or no engine can serve it."""
        self._look_for_comebacks(task)
        if task in self._unserved:
            raise _anew(self._unserved[task])
        served = self._served.get(task)
        if served is None:
            try:
                served = self._load(task)
            except EngineError as error:
                self._unserved[task] = _anew(error)  # asked again for every image, tried at the next start
                self._comebacks.passed_over(task, self._given_up.get(task, {}), serving=None)
                raise
            self._comebacks.passed_over(task, self._given_up.get(task, {}), serving=served.passport.engine)
            self._serve(task, served)
        return served

    def give_up(self, task: str, reason: str, *, engine: Engine | None = None) -> None:
        """The engine that serves the task has failed: the next call of `served` takes the one after it.

        `engine`: the one that failed. When another serves by now (a more urgent image was answered in between
        and met the same failure), that one has done nothing and stays.
        """
        served = self._served.get(task)
        if served is None or (engine is not None and served.engine is not engine):
            return
        del self._served[task]
        given_up = self._given_up.setdefault(task, {})
        given_up[served.passport.engine] = reason
        self._comebacks.failed(task, served.passport.engine)
        served.close()
        stand_in = self._comebacks.stand_in(task)
        if stand_in is not None:
            self._serve(task, replace(stand_in, fallback_reason=in_words(given_up)))

    def _serve(self, task: str, served: Served) -> None:
        self._served[task] = served
        self._at_change(served)

    def try_again(self) -> None:
        """Look for engines that are back, while nobody waits. For an image it is done in any case."""
        for task in self.tasks():
            self._look_for_comebacks(task)

    def _look_for_comebacks(self, task: str) -> None:
        bundle = self.bundle(task)
        for selected in self._comebacks.back(task, bundle):
            assert bundle is not None  # else nothing is back
            given_up = self._given_up.get(task, {})
            given_up.pop(selected.passport.engine, None)
            self._unserved.pop(task, None)
            before = self._served.get(task)
            if before is not None:
                self._comebacks.keep(task, before)
            self._serve(task, served_by(bundle, selected, in_words(given_up)))

    def refresh(self) -> None:
        """Follow the slots: load what was activated meanwhile, then let go of what answered before.

        Call it where no answer is under way. What cannot serve goes back to its slot's previous release; if
        nothing else can serve either, what answered before answers on. `problems` tells it.
        """
        for task, moved in self._placing.changed().items():
            self._unserved.pop(task, None)
            self._drop_shadow(task)
            self._comebacks.drop(task)
            before = self._served.pop(task, None) if moved else None
            if before is None:
                continue
            given_up = self._given_up.pop(task, None)
            try:
                self.served(task)
            except EngineError as error:
                self._unserved.pop(task, None)
                self._served[task] = replace(before, fallback_reason=error.what)
                if given_up:
                    self._given_up[task] = given_up
                self.problems.append(ModelBundleError(error.what, remedy=error.remedy))
            else:
                before.engine.close()

    def _load(self, task: str) -> Served:
        while True:
            placed = self._placing.of(task)
            if placed is None:
                raise EngineError(
                    f"No model for {task} is installed.",
                    remedy="Install a bundle with `scanside models install`; see `scanside models verify`.",
                )
            given_up = self._given_up.get(task, {})
            try:
                selected = self.selection.select(placed.bundle, given_up=given_up)
            except EngineError as error:
                # engines that failed at work are no reason to go back: they may fail with the other, too
                if given_up or not self._placing.step_back(task, error.what):
                    raise
            else:
                self._note(placed.bundle, selected.engine)
                return served_by(placed.bundle, selected, placed.stepped_back)

    def _note(self, bundle: Bundle, engine: Engine) -> None:
        """From now on no lower release serves here."""
        if self._releases is not None:
            try:
                self._releases.note(bundle.card)
            except ScansideError:
                engine.close()
                raise

    def shadow(self, task: str) -> tuple[str, Served] | None:
        """Release key and model that run in the shadow of the task, loaded; None when none does.

        What cannot be served is taken out of the slot: it never stands in the way of what answers.
        """
        there = self._shadows.get(task)
        if there is not None:
            return there
        placed = self._placing.shadow(task)
        if placed is None:
            return None
        key, bundle = placed
        try:
            selected = self.selection.select(bundle, given_up={})
        except EngineError as error:
            self._placing.drop_shadow(task, error.what)
            return None
        return self._shadows.setdefault(task, (key, served_by(bundle, selected, None)))

    def give_up_shadow(self, task: str, reason: str) -> None:
        """It failed at work."""
        self._drop_shadow(task)
        self._placing.drop_shadow(task, reason)

    def _drop_shadow(self, task: str) -> None:
        there = self._shadows.pop(task, None)
        if there is not None:
            there[1].engine.close()

    def ask_known(self, task: str) -> None:
        """A question whose answer is known. Raises EngineError at another answer; the next engine serves."""
        served = self.served(task)
        bundle = self.bundle(task)
        assert bundle is not None  # it is served
        try:
            ask_known(served.engine, bundle, served.passport.precision)
        except EngineError as error:
            self.give_up(task, error.what)
            raise

    def try_unserved(self, task: str) -> None:
        """Where no engine serves the task, let all be tried once more; each proves itself again."""
        if self._unserved.pop(task, None) is not None:
            self._given_up.pop(task, None)

    def every_candidate(self) -> Iterator[tuple[Bundle, Candidate]]:
        """Every bundle that has its task's place, with everything that may serve it here."""
        for task in self.tasks():
            bundle = self.bundle(task)
            assert bundle is not None  # it is listed
            for candidate in self.selection.every_candidate(bundle):
                yield bundle, candidate

    def verify_all(self) -> tuple[Passport, ...]:
        """Every bundle on every engine of the settings, proven anew."""
        return tuple(
            self.selection.passport(bundle, candidate, anew=True)
            for bundle, candidate in self.every_candidate()
        )

    def close(self) -> None:
        """Close all engines."""
        for served in (*self._served.values(), *(shadow for _, shadow in self._shadows.values())):
            served.engine.close()
        self._served.clear()
        self._shadows.clear()
        self._comebacks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _anew(error: EngineError) -> EngineError:
    """The same error without what led to it.

    A raised error holds every call that it passed through, with what they held, and one that is raised again
    holds those, too: kept and raised for every image, it would keep every image.
    """
    return type(error)(error.what, remedy=error.remedy)
