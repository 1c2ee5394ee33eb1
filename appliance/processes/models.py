# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The models of a process: the shipped bundles and those of the settings, on the engines of the settings."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.config import Layout, Settings
from appliance.models.registry import Registry, shipped_models


def model_folders(settings: Settings) -> tuple[Path, ...]:
    """Where bundles are looked for; the first bundle of a task wins."""
    return (*settings.models, shipped_models())


def open_registry(settings: Settings, cache: Path) -> Registry:
    """The registry; its proofs and compiled engines are kept in `cache`."""
    return Registry(
        model_folders(settings),
        engines=settings.worker.engines,
        threads=settings.worker.threads,
        cache=cache,
    )


def kept_proofs(layout: Layout | None = None) -> Path:
    """Where commands keep their proofs: in the data folder if there is one, else in the user's cache."""
    if layout is not None and layout.engine_cache.is_dir():
        return layout.engine_cache
    base = os.environ.get("XDG_CACHE_HOME")
    cache = Path(base) if base else Path.home() / ".cache"
    return cache / "scanside" / "engines"
