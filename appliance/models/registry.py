# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which model answers for which task, and on which engine: the first that has proven itself here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Self

from appliance.domain.card import ModelCard
from appliance.engines.base import Engine
from appliance.errors import EngineError, ModelBundleError, ScansideError
from appliance.models.bundle import Bundle, read_bundle, unpack_bundle
from appliance.models.contents import CARD, SUMS
from appliance.models.keys import Signer, Trust, read_trust, shipped_keys
from appliance.models.loading import load_verified
from appliance.models.parity import ask_known
from appliance.models.proof import Proof, kept_proof, prove
from appliance.models.releases import DowngradeError, Releases

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
        trust: Trust | None = None,
        releases: Releases | None = None,
    ) -> None:
        """Verify every bundle. The first of a task serves, but never before a newer release of itself.

        `trust`: whose bundles are taken (None: those signed with the shipped keys). `releases`: what this
        device has accepted; a lower release is refused, and one that serves is noted there (None: nothing
        is known, as for a single look). A bundle that is refused stays out and is told in `problems`; the
        others serve.
        """
        self._trust = read_trust((shipped_keys(),)) if trust is None else trust
        self._releases = releases
        self._engines = engines
        self._threads = threads
        self._cache = cache
        self._bundles: dict[str, Bundle] = {}
        self._served: dict[str, Served] = {}
        self._unserved: dict[str, EngineError] = {}
        self._given_up: dict[str, list[tuple[str, str]]] = {}
        self.problems: list[ModelBundleError] = [*self._trust.problems]
        """Bundles and keys that were refused, and why."""
        too_old: list[DowngradeError] = []
        for path in self._paths(folders):
            try:
                self._read(path)
            except DowngradeError as error:
                too_old.append(error)
            except ModelBundleError as error:
                self.problems.append(error)
        self.problems += [error for error in too_old if not self._has(error.task, error.name)]

    def _has(self, task: str, name: str) -> bool:
        """Is that model there in a release that may serve? Then nobody misses an older one."""
        bundle = self._bundles.get(task)
        return bundle is not None and bundle.card.name == name

    def _read(self, path: Path) -> None:
        folder = path
        if path.suffix == ".zip":
            folder = unpack_bundle(path, into=self._cache / "bundles", trust=self._trust)
        bundle = read_bundle(folder, trust=self._trust, releases=self._releases)
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

    def signer(self, task: str) -> Signer | None:
        """Who signed the task's bundle; None when there is no bundle."""
        bundle = self._bundles.get(task)
        return None if bundle is None else bundle.signer

    def served(self, task: str) -> Served:
        """The task's model, loaded. Raises EngineError when there is none or no engine can serve it."""
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

    def give_up(self, task: str, reason: str) -> None:
        """The engine that serves the task has failed: the next call of `served` takes the one after it."""
        served = self._served.pop(task, None)
        if served is not None:
            self._given_up.setdefault(task, []).append((served.proof.engine, reason))
            served.engine.close()

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
                    continue
                self._note(bundle, loaded)
                return Served(card=bundle.card, engine=loaded, proof=proof, fallback_reason=_words(failed))
            failed[engine] = proof.reason or "it failed its test"
        raise EngineError(
            f"No engine can serve {bundle.card.identity} on this device: {_words(failed)}.",
            remedy="Run `scanside models verify`; until then these images are read as usual, without it.",
        )

    def _note(self, bundle: Bundle, loaded: Engine) -> None:
        """From now on no lower release serves here."""
        if self._releases is not None:
            try:
                self._releases.note(bundle.card)
            except ScansideError:
                loaded.close()
                raise

    def _loaded(self, bundle: Bundle, name: str) -> Engine:
        engine = load_verified(name, bundle, threads=self._threads)
        try:
            ask_known(engine, bundle)
        except EngineError:
            engine.close()
            raise
        return engine

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
        kept = kept_proof(bundle, engine, threads=self._threads, cache=self._cache)
        return kept or prove(bundle, engine, threads=self._threads, cache=self._cache)

    def verify_all(self) -> tuple[Proof, ...]:
        """Every bundle on every engine of the settings, proven anew."""
        return tuple(
            prove(bundle, engine, threads=self._threads, cache=self._cache)
            for _, bundle in sorted(self._bundles.items())
            for engine in self._engines
        )

    def close(self) -> None:
        """Close all engines."""
        for served in self._served.values():
            served.engine.close()
        self._served.clear()

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
