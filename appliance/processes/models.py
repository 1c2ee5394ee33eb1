# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The models of a process: the shipped bundles and those of the settings, on the engines of the settings."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.config import Layout, Settings
from appliance.models.bundle import Bundle
from appliance.models.folders import read_folders
from appliance.models.registry import Registry, Surroundings, shipped_models
from appliance.models.selection import Selection, plan_of
from appliance.models.slots import SlotFolder


def model_folders(settings: Settings) -> tuple[Path, ...]:
    """Where bundles are looked for; the first bundle of a task wins."""
    return (*settings.models, shipped_models())


def open_registry(
    settings: Settings, cache: Path, *, surroundings: Surroundings | None = None, layout: Layout | None = None
) -> Registry:
    """The registry; its passports and compiled engines are kept in `cache`.

    With the `layout` of a data folder, what was activated there comes before the folders of bundles. A
    process that has more to say gives its `surroundings`.
    """
    if surroundings is None:
        surroundings = Surroundings(slots=None if layout is None else SlotFolder(layout.models))
    return Registry(
        model_folders(settings),
        engines=settings.worker.engines,
        precisions=settings.worker.precisions,
        threads=settings.worker.threads,
        cache=cache,
        surroundings=surroundings,
    )


def open_selection(settings: Settings, cache: Path) -> Selection:
    """What chooses the engine of a bundle, for those who have a bundle of their own."""
    return Selection(
        plan_of(settings.worker.engines),
        precisions=settings.worker.precisions,
        threads=settings.worker.threads,
        cache=cache,
    )


def bundles_in_folders(settings: Settings, cache: Path) -> dict[str, Bundle]:
    """Task to what answers for it where nothing was activated."""
    return read_folders(model_folders(settings), unpack_into=cache / "bundles", problems=[])


def kept_proofs(layout: Layout | None = None) -> Path:
    """Where commands keep their passports: in the data folder if there is one, else in the user's cache."""
    if layout is not None and layout.engine_cache.is_dir():
        return layout.engine_cache
    base = os.environ.get("XDG_CACHE_HOME")
    cache = Path(base) if base else Path.home() / ".cache"
    return cache / "scanside" / "engines"
