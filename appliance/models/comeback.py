# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Engines that come back: a shared server that was away serves again, and what stood in for it stays loaded.

A stand-in is kept so that the next loss of the server costs no loading. It belongs to the bundle that it was
loaded for, so it goes when that is replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from appliance.errors import EngineError
from appliance.models.bundle import Bundle
from appliance.models.retry import Retry
from appliance.models.selection import Selected, Selection


class Loaded(Protocol):
    """What holds an engine."""

    def close(self) -> None:
        """Give the engine back."""


L = TypeVar("L", bound=Loaded)


class Comebacks(Generic[L]):
    """Who failed and may come back, and who stands in, for each task. One thread."""

    def __init__(self, selection: Selection, retry: Retry | None) -> None:
        """`retry` says when; None: nothing comes back."""
        self._selection = selection
        self._retry = retry
        self._stand_ins: dict[str, L] = {}

    def failed(self, task: str, engine: str) -> None:
        """An engine failed at work."""
        if self._retry is not None:
            self._retry.failed(task, engine)

    def passed_over(self, task: str, given_up: Mapping[str, str], serving: str | None) -> None:
        """The engines before the one that serves (None: all) did not load; those given up were told of."""
        for engine in self._selection.plan.engines:
            if engine == serving:
                return
            if engine not in given_up:
                self.failed(task, engine)

    def back(self, task: str, bundle: Bundle | None) -> Iterator[Selected]:
        """Engines whose time has come and that serve again, loaded."""
        if bundle is None or self._retry is None:
            return
        for engine in self._retry.due(task):
            try:
                selected = self._selection.only(bundle, engine)
            except EngineError:
                self._retry.failed(task, engine)
                continue
            self._retry.served(task, engine)
            yield selected

    def keep(self, task: str, stand_in: L) -> None:
        """It gives way to an engine that is back."""
        self.drop(task)
        self._stand_ins[task] = stand_in

    def stand_in(self, task: str) -> L | None:
        """What stood in last time; the caller's from now on."""
        return self._stand_ins.pop(task, None)

    def drop(self, task: str) -> None:
        """The task has another bundle by now, or another stand-in."""
        there = self.stand_in(task)
        if there is not None:
            there.close()

    def close(self) -> None:
        """Close all stand-ins."""
        for task in tuple(self._stand_ins):
            self.drop(task)
