# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Engines by name: the files of this folder, imported on use."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, Final

from appliance import engines
from appliance.engines.base import BuildEngine, Engine, LoadEngine
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError

NOT_ENGINES: Final = frozenset({"base", "catalogue", "checked", "graph", "kserve"})
"""Files of this folder that are about engines without being one. (A folder in it never is one.)"""
REMOTE: Final = "remote"
"""The one engine that is not on this device: it has to be told where it is."""


def engine_names() -> tuple[str, ...]:
    """Every engine that this version of the appliance knows, installed or not."""
    found = {module.name for module in pkgutil.iter_modules(engines.__path__) if not module.ispkg}
    return tuple(sorted(found - NOT_ENGINES))


def _module(name: str) -> Any:
    if name not in engine_names():
        raise EngineError(f"There is no engine {name!r}.", remedy=f"Choose from {', '.join(engine_names())}.")
    try:
        return import_module(f"appliance.engines.{name}")
    except ImportError as error:
        raise _absent(name, error) from error


def _absent(name: str, error: ImportError) -> EngineError:
    return EngineError(
        f"The engine {name} is not installed on this device: {error}.",
        remedy=f"Install the missing library, or leave {name} out of worker.engines.",
    )


def engine_version(name: str) -> str:
    """The version of the library behind the engine. Raises EngineError when it is not installed."""
    try:
        return str(_module(name).version())
    except PackageNotFoundError as error:
        raise _absent(name, error) from error


def engine_device_key(name: str) -> str:
    """Names the device that this engine would use (driver, card), where the engine's file tells it.

    Empty for engines that only know the processor. Raises EngineError when device or driver are absent.
    """
    try:
        key: Callable[[], str] | None = getattr(_module(name), "device_key", None)
        return "" if key is None else str(key())
    except (ImportError, PackageNotFoundError) as error:
        raise _absent(name, error) from error


def unusable(name: str) -> str | None:
    """Why this engine cannot serve anything here (no library, no driver, no device); None when it may."""
    try:
        engine_version(name)
        engine_device_key(name)
    except EngineError as error:
        return error.what
    return None


def load_engine(
    name: str,
    model: Path,
    *,
    threads: int,
    cache: Path | None = None,
    server: InferenceServer | None = None,
) -> Engine:
    """Load a verified ONNX file into the engine of that name. Raises EngineError when it cannot serve it.

    An engine that builds a plan on the device first (minutes) keeps it in `cache`; None: nothing is kept.
    `server` is for the engine `remote`; the others compute here.
    """
    try:
        module = _module(name)
        if getattr(module, "KEEPS_PLANS", False):
            build: BuildEngine = module.load
            return build(model, threads=threads, cache=cache)
        load: LoadEngine = partial(module.load, server=server) if name == REMOTE else module.load
        return load(model, threads=threads)
    except ImportError as error:
        raise _absent(name, error) from error
