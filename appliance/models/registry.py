# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which model answers for which task, and on which engine: the first that has proven itself here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Self

from appliance.domain.card import ModelCard
from appliance.engines.base import Engine
from appliance.engines.catalogue import load_engine
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError, ModelBundleError
from appliance.models.bundle import CARD, SUMS, Bundle, read_bundle, unpack_bundle
from appliance.models.parity import ask_known
from appliance.models.proof import Proof, kept_proof, prove
from appliance.models.retry import Retry

SHIPPED: Final = "models_shipped"
"""Folder of the appliance package that holds the reference bundles."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """A loaded model. The registry owns the engine."""

    card: ModelCard
    engine: Engine
    proof: Proof
    fallback_reason: str | None
    """Why this is not the first engine of the settings; None when it is."""


def shipped_models() -> Path:
    """The folder of the bundles that come with the appliance."""
    return Path(str(resources.files("appliance"))) / SHIPPED


class Registry:
    """All bundles of some folders, and one loaded engine per task that was asked for. One thread."""

    def __init__(
        self,
        folders: tuple[Path, ...],
        *,
        engines: tuple[str, ...],
        threads: int,
        cache: Path,
        server: InferenceServer | None = None,
        retry: Retry | None = None,
    ) -> None:
        """Verify every bundle. The first of a task serves, but never before a newer release of itself.

        A bundle that is refused stays out and is told in `problems`; the others serve. `server` is for the
        engine `remote`, `retry` says which engines are tried again after a failure (None: not one).
        """
        self._server = server
        self._retry = retry
        self._engines = engines
        self._threads = threads
        self._cache = cache
        self._bundles: dict[str, Bundle] = {}
        self._served: dict[str, Served] = {}
        self._stand_ins: dict[str, Served] = {}
        self._unserved: dict[str, EngineError] = {}
        self._given_up: dict[str, list[tuple[str, str]]] = {}
        self.problems: list[ModelBundleError] = []
        """Bundles that were refused, and why."""
        for path in self._paths(folders):
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            folder = unpack_bundle(path, into=self._cache / "bundles") if path.suffix == ".zip" else path
            bundle = read_bundle(folder)
        except ModelBundleError as error:
            self.problems.append(error)
            return
        there = self._bundles.get(bundle.card.task)
        if there is None:
            self._bundles[bundle.card.task] = bundle
        elif there.card.name == bundle.card.name and there.card.release < bundle.card.release:
            self._bundles[bundle.card.task] = bundle
            self.problems.append(_older(there, bundle))

    @staticmethod
    def _paths(folders: tuple[Path, ...]) -> Iterator[Path]:
        for folder in folders:
            if not folder.is_dir():
                continue
            for path in sorted(folder.iterdir()):
                if path.suffix == ".zip" or (path / CARD).exists() or (path / SUMS).exists():
                    yield path

    def tasks(self) -> tuple[str, ...]:
        """Tasks that have a bundle."""
        return tuple(sorted(self._bundles))

    def card(self, task: str) -> ModelCard | None:
        """The card of the task's bundle, without loading anything; None when there is none."""
        bundle = self._bundles.get(task)
        return None if bundle is None else bundle.card

    def bundle(self, task: str) -> Bundle | None:
        """The task's verified bundle; None when there is none."""
        return self._bundles.get(task)

    def served(self, task: str) -> Served:
        """The task's model, loaded. Raises EngineError when there is none or no engine can serve it."""
        self._try_again_for(task)
        if task in self._unserved:
            raise _anew(self._unserved[task])
        served = self._served.get(task)
        if served is None:
            try:
                served = self._served[task] = self._load(task)
            except EngineError as error:
                self._unserved[task] = _anew(error)  # asked again for every image, tried at the next start
                raise
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
        self._given_up.setdefault(task, []).append((served.proof.engine, reason))
        self._note_failure(task, served.proof.engine)
        served.engine.close()
        stand_in = self._stand_ins.pop(task, None)
        if stand_in is not None:
            self._served[task] = replace(stand_in, fallback_reason=_words(dict(self._given_up[task])))

    def _note_failure(self, task: str, engine: str) -> None:
        if self._retry is not None:
            self._retry.failed(task, engine)

    def try_again(self) -> None:
        """Look for engines that have come back, while nobody waits; for an image it is done in any case."""
        for task in self.tasks():
            self._try_again_for(task)

    def _try_again_for(self, task: str) -> None:
        """A server elsewhere may be back. Then it serves again; what stood in for it stays loaded."""
        bundle = self._bundles.get(task)
        if bundle is None or self._retry is None:
            return
        for name in self._retry.due(task):
            earlier = dict(self._given_up.get(task, ()))
            try:
                self._load_engine(bundle, name).close()  # one that is away says so at once, without a child
                proof = self._proof(bundle, name)
                loaded = self._loaded(bundle, name) if proof.passed else None
            except EngineError:
                loaded = None
            if loaded is None:
                self._retry.failed(task, name)
                continue
            self._retry.served(task, name)
            earlier.pop(name, None)
            self._given_up[task] = list(earlier.items())
            self._unserved.pop(task, None)
            before = self._served.get(task)
            if before is not None:
                self._stand_ins[task] = before
            self._served[task] = Served(
                card=bundle.card, engine=loaded, proof=proof, fallback_reason=_words(earlier)
            )

    def _load(self, task: str) -> Served:
        bundle = self._bundles.get(task)
        if bundle is None:
            raise EngineError(
                f"No model for {task} is installed.",
                remedy="Install a bundle with `scanside models install`, or see `scanside models verify`.",
            )
        failed = dict(self._given_up.get(task, ()))
        for engine in self._engines:
            if engine in failed:
                continue
            proof = self._proof(bundle, engine)
            if proof.passed:
                try:
                    loaded = self._loaded(bundle, engine)
                except EngineError as error:
                    failed[engine] = error.what
                    self._note_failure(task, engine)
                    continue
                return Served(card=bundle.card, engine=loaded, proof=proof, fallback_reason=_words(failed))
            failed[engine] = proof.reason or "it failed its test"
            self._note_failure(task, engine)
        raise EngineError(
            f"No engine can serve {bundle.card.identity} on this device: {_words(failed)}.",
            remedy="Run `scanside models verify`; until then these images are read as usual, without it.",
        )

    def _loaded(self, bundle: Bundle, name: str) -> Engine:
        engine = self._load_engine(bundle, name)
        try:
            ask_known(engine, bundle)
        except EngineError:
            engine.close()
            raise
        return engine

    def _load_engine(self, bundle: Bundle, name: str) -> Engine:
        return load_engine(name, bundle.model, threads=self._threads, server=self._server)

    def ask_known(self, task: str) -> None:
        """Ask the engine that serves the task a question whose answer is known.

        Raises EngineError when it gives another answer; the next call of `served` takes the next engine.
        """
        served = self.served(task)
        try:
            ask_known(served.engine, self._bundles[task])
        except EngineError as error:
            self.give_up(task, error.what)
            raise

    def _proof(self, bundle: Bundle, engine: str) -> Proof:
        kept = kept_proof(bundle, engine, threads=self._threads, cache=self._cache, server=self._server)
        return kept or self._prove(bundle, engine)

    def _prove(self, bundle: Bundle, engine: str) -> Proof:
        return prove(bundle, engine, threads=self._threads, cache=self._cache, server=self._server)

    def verify_all(self) -> tuple[Proof, ...]:
        """Every bundle on every engine of the settings, proven anew."""
        return tuple(
            self._prove(bundle, engine)
            for _, bundle in sorted(self._bundles.items())
            for engine in self._engines
        )

    def close(self) -> None:
        """Close all engines."""
        for served in (*self._served.values(), *self._stand_ins.values()):
            served.engine.close()
        self._served.clear()
        self._stand_ins.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _words(failed: dict[str, str]) -> str | None:
    return "; ".join(f"{engine}: {reason.rstrip('.')}" for engine, reason in failed.items()) or None


def _anew(error: EngineError) -> EngineError:
    """The same error without what led to it.

    A raised error holds every call that it passed through, with what they held, and one that is raised again
    holds those, too: kept and raised for every image, it would keep every image.
    """
    return type(error)(error.what, remedy=error.remedy)


def _older(old: Bundle, new: Bundle) -> ModelBundleError:
    return ModelBundleError(
        f"Release {old.card.release} of {old.card.name} in {old.folder.parent} is older than release "
        f"{new.card.release}, which is there too. The newer one serves.",
        remedy="Remove the older bundle.",
    )
