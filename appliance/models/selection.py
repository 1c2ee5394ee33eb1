# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which engine, with which precision, serves a bundle on this device: the first choice that has its passport.

`auto` stands for what is really usable here. Among the processor's engines none is the quickest everywhere,
so those are compared by what they measured; an engine that was named by a person keeps its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from appliance.engines.base import Engine
from appliance.engines.catalogue import engine_names, unusable
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError
from appliance.models.bundle import Bundle
from appliance.models.candidate import CPU_ENGINES, GPU_ENGINES, Candidate, load_candidate
from appliance.models.parity import ask_known
from appliance.models.passport import Passport, kept_passport, make_passport

AUTO: Final = "auto"
AUTO_ORDER: Final = (*GPU_ENGINES, *CPU_ENGINES)
"""What `auto` stands for. A shared server (`remote`) is never asked unless a person names it: pictures leave
the device for it."""
PRECISIONS: Final = ("int8", "fp16", "fp32")
SLOW_IN_INT8: Final = frozenset({"ort"})
"""Engines of the processor that compute our int8 graphs more slowly than float32 (at 0.5 to 0.7 of its speed,
measured for every shipped model): float32 is tested first there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Engines that are asked together."""

    engines: tuple[str, ...]
    quickest_first: bool = False
    """Take the quickest candidate that has its passport, not the first. On the processor a quantised graph is
    four times as quick as float32 in one engine and half as quick in another (measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The engines of the settings, as this device can follow them."""

    steps: tuple[Step, ...]
    skipped: Mapping[str, str]
    """Engines that `auto` passes over because they are not usable here, and why. That is no fall-back."""

    @property
    def engines(self) -> tuple[str, ...]:
        """All that are asked, in order."""
        return tuple(chain.from_iterable(step.engines for step in self.steps))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selected:
    """A loaded engine. Whoever asked for it closes it."""

    engine: Engine
    passport: Passport
    fallback_reason: str | None
    """What stood before it and why that does not serve; None when nothing did."""


def plan_of(engines: tuple[str, ...]) -> Plan:
    """What the setting means here. Looks for libraries and drivers; loads no model."""
    steps: list[Step] = []
    skipped: dict[str, str] = {}
    for name in dict.fromkeys(engines):
        if name != AUTO:
            steps.append(Step(engines=(name,), quickest_first=name in CPU_ENGINES))
            continue
        known = [engine for engine in AUTO_ORDER if engine in engine_names() and engine not in engines]
        skipped = {engine: reason for engine in known if (reason := unusable(engine)) is not None}
        usable = [engine for engine in known if engine not in skipped]
        steps += [Step(engines=(engine,)) for engine in usable if engine in GPU_ENGINES]
        processor = tuple(engine for engine in usable if engine in CPU_ENGINES)
        if processor:
            steps.append(Step(engines=processor, quickest_first=True))
    return Plan(steps=tuple(steps), skipped=skipped)


class Selection:
    """Chooses by passports, and makes those that the choice needs."""

    def __init__(
        self,
        plan: Plan,
        *,
        precisions: tuple[str, ...] = PRECISIONS,
        threads: int,
        cache: Path,
        alive: Callable[[], None] = lambda: None,
        server: InferenceServer | None = None,
        never: Mapping[str, str] | None = None,
    ) -> None:
        """`never`: engines that are not to be used at all, and why."""
        self.plan = plan
        self._never = {name: why for name, why in (never or {}).items() if name in plan.engines}
        self._precisions = precisions
        self._threads = threads
        self._cache = cache
        self._alive = alive
        self._server = server

    def candidates(self, bundle: Bundle, engine: str) -> tuple[Candidate, ...]:
        """What the engine may load of the bundle, in order of preference.

        Half precision is left to devices that compute in it: on the processor it costs time and gains nothing
        (measured). A bundle that offers nothing in the wanted precisions is served as float32.
        """
        usable = [
            precision
            for precision in self._precisions
            if precision in bundle.model_sha256 and not (precision == "fp16" and engine in CPU_ENGINES)
        ]
        if engine in SLOW_IN_INT8:
            usable.sort(key=lambda precision: precision == "int8")
        return tuple(Candidate(engine=engine, precision=precision) for precision in usable or ("fp32",))

    def every_candidate(self, bundle: Bundle) -> tuple[Candidate, ...]:
        """Of every engine that is usable here."""
        return tuple(
            candidate for engine in self.plan.engines for candidate in self.candidates(bundle, engine)
        )

    def passport(self, bundle: Bundle, candidate: Candidate, *, anew: bool = False) -> Passport:
        """The kept one, or a new one."""
        kept = None if anew else self._kept_passport(bundle, candidate)
        return kept or make_passport(
            bundle,
            candidate,
            threads=self._threads,
            cache=self._cache,
            alive=self._alive,
            server=self._server,
        )

    def _kept_passport(self, bundle: Bundle, candidate: Candidate) -> Passport | None:
        return kept_passport(bundle, candidate, threads=self._threads, cache=self._cache, server=self._server)

    def try_out(self, bundle: Bundle) -> Passport:
        """That of the engine which would serve the bundle here. Raises EngineError when none would."""
        selected = self.select(bundle, given_up={})
        selected.engine.close()
        return selected.passport

    def select(self, bundle: Bundle, *, given_up: Mapping[str, str]) -> Selected:
        """The first choice that has its passport and answers the known question, loaded.

        `given_up`: engines that have failed at work, and how. Raises EngineError when nothing is left.
        """
        return self._first_of(self.plan.steps, bundle, {**self._never, **given_up})

    def only(self, bundle: Bundle, engine: str) -> Selected:
        """The same with this engine alone, which may be away: then that is known at once, without a test.

        Raises EngineError.
        """
        away: EngineError | None = None
        for candidate in self.candidates(bundle, engine):
            try:
                self._load(bundle, candidate).close()
            except EngineError as error:
                away = error
            else:
                return self._first_of((Step(engines=(engine,)),), bundle, {})
        assert away is not None  # there is at least one candidate
        raise away

    def _load(self, bundle: Bundle, candidate: Candidate) -> Engine:
        return load_candidate(
            bundle, candidate, threads=self._threads, cache=self._cache, server=self._server
        )

    def _first_of(self, steps: tuple[Step, ...], bundle: Bundle, failed: dict[str, str]) -> Selected:
        for step in steps:
            for passport in self._passing(bundle, step, failed):
                try:
                    engine = self._loaded(bundle, passport)
                except EngineError as error:
                    failed[passport.candidate.words] = error.what
                else:
                    return Selected(engine=engine, passport=passport, fallback_reason=in_words(failed))
        raise EngineError(
            f"No engine can serve {bundle.card.identity} on this device: "
            f"{in_words(failed) or 'none is usable here'}.",
            remedy="Run `scanside models passport`; until then these images are read as usual, without it.",
        )

    def _passing(self, bundle: Bundle, step: Step, failed: dict[str, str]) -> Iterator[Passport]:
        """Passports that were passed, the best first, made only as needed; the others go to `failed`.

        Where engines are compared, candidates that have their passport are compared by it. One that has none
        is tested only when nothing before it serves: the first start of a device is when somebody waits.
        """
        engines = [engine for engine in step.engines if engine not in failed]
        given: set[Candidate] = set()
        for place, engine in enumerate(engines):
            reason = unusable(engine)
            if reason is not None:
                failed[engine] = reason
                continue
            passports = self._of_engine(bundle, engine, failed)
            if step.quickest_first:
                comparable = chain.from_iterable(self.candidates(bundle, other) for other in engines[place:])
                kept = sorted(
                    self._kept(bundle, comparable), key=lambda passport: passport.p50_ms or float("inf")
                )
                passports = chain(kept, passports)
            for passport in passports:
                if passport.candidate not in given:
                    given.add(passport.candidate)
                    yield passport

    def _of_engine(self, bundle: Bundle, engine: str, failed: dict[str, str]) -> Iterator[Passport]:
        for candidate in self.candidates(bundle, engine):
            passport = self.passport(bundle, candidate)
            if passport.passed:
                yield passport
            else:
                failed[candidate.words] = passport.reason or "it failed its test"

    def _kept(self, bundle: Bundle, candidates: Iterator[Candidate]) -> Iterator[Passport]:
        for candidate in candidates:
            kept = self._kept_passport(bundle, candidate)
            if kept is not None:
                yield kept

    def _loaded(self, bundle: Bundle, passport: Passport) -> Engine:
        """The same engine on the same device as in the passport, or nothing."""
        candidate = passport.candidate
        self._alive()
        engine = self._load(bundle, candidate)
        try:
            _check_device(candidate, passport, engine.describe().device)
            ask_known(engine, bundle, candidate.precision)
        except EngineError:
            engine.close()
            raise
        return engine


def _check_device(candidate: Candidate, passport: Passport, device: str) -> None:
    if device != passport.device:
        raise EngineError(
            f"The engine {candidate.engine} got its passport on {passport.device} and is on {device} now.",
            remedy="The next engine takes over. `scanside models passport` tests all of them.",
        )


def in_words(failed: Mapping[str, str]) -> str | None:
    """What did not serve and why, in one line; None when nothing failed."""
    return "; ".join(f"{what}: {reason.rstrip('.')}" for what, reason in failed.items()) or None
