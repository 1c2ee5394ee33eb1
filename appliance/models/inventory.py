# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which models answer here, who signed each, and which passports they hold: without loading one.

Every bundle is verified anew by the same code that serves it. No engine is imported, let alone started, so
that a screen may ask while the worker works.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from appliance.domain.card import ModelCard
from appliance.domain.record import from_json
from appliance.engines.kserve import InferenceServer
from appliance.errors import ModelBundleError
from appliance.models.bundle import Bundle
from appliance.models.folders import read_folders
from appliance.models.keys import Signer, Trust
from appliance.models.passport import Passport, cpu_model
from appliance.models.passport_file import passport_file
from appliance.models.placing import Placing
from appliance.models.releases import Releases
from appliance.models.slots import SlotFolder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answering:
    """The model that has the place of its task."""

    card: ModelCard
    signer: Signer | None
    """Whose signature was checked just now, with a key that this device trusts; None: nobody's."""
    passports: tuple[Passport, ...]
    """Passed on this processor with exactly these bytes, the quickest first."""
    stepped_back: str | None
    """Why this is not what was activated; None when it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inventory:
    """All of it."""

    models: tuple[Answering, ...]
    problems: tuple[ModelBundleError, ...]
    """Bundles and keys that were refused, and why."""


def take_inventory(
    folders: tuple[Path, ...],
    *,
    trust: Trust,
    slots: SlotFolder,
    releases: Releases,
    cache: Path,
    server: InferenceServer | None = None,
) -> Inventory:
    """Verify the bundles of folders and slots and read the passports in `cache`. Changes nothing.

    `releases` should be read-only. `server`: the shared one of the settings, whose passports count too.
    """
    problems: list[ModelBundleError] = [*trust.problems]
    with tempfile.TemporaryDirectory(prefix="scanside-look-") as scratch:
        found = read_folders(
            folders, unpack_into=Path(scratch), trust=trust, releases=releases, problems=problems
        )
        placing = Placing(found, slots, releases=releases, mends=False, problems=problems)
        models = []
        for task in placing.tasks():
            placed = placing.of(task)
            assert placed is not None  # it is listed
            models.append(
                Answering(
                    card=placed.bundle.card,
                    signer=placed.bundle.signer,
                    passports=_passports(placed.bundle, cache, server),
                    stepped_back=placed.stepped_back,
                )
            )
    return Inventory(models=tuple(models), problems=tuple(problems))


def _passports(bundle: Bundle, cache: Path, server: InferenceServer | None) -> tuple[Passport, ...]:
    """Those whose file has the name that this bundle, this processor and what they say lead to."""
    found = []
    for file in sorted(cache.glob(f"passport-{bundle.card.task}-*.json")):
        try:
            passport = from_json(Passport, file.read_text(encoding="utf-8"))
            name = passport_file(
                bundle,
                passport.candidate,
                engine=(passport.libraries[passport.engine], passport.device_key),
                threads=passport.threads,
                processor=cpu_model(),
                server=server,
            )
        except (OSError, ValueError, KeyError):
            continue  # damaged, or of another device or bundle: it proves nothing here
        if passport.passed and name == file.name:
            found.append(passport)
    return tuple(sorted(found, key=lambda passport: passport.p50_ms or float("inf")))
