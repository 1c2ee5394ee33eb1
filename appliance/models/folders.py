# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of bundles: the shipped one and those of the settings. The first of a task is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from appliance.errors import ModelBundleError
from appliance.models.bundle import Bundle, read_bundle, unpack_bundle
from appliance.models.contents import CARD, SUMS
from appliance.models.keys import Trust
from appliance.models.releases import Releases


def read_folders(
    folders: tuple[Path, ...],
    *,
    unpack_into: Path,
    trust: Trust | None,
    releases: Releases | None,
    problems: list[ModelBundleError],
) -> dict[str, Bundle]:
    """Task to its bundle: the first that is found, but never one that is older than another release of it.

    Signed with a key of `trust`, and no lower release than one of `releases` (see `read_bundle`). What was
    refused or passed over is added to `problems`. Folders that do not exist are empty.
    """
    found: dict[str, Bundle] = {}
    for path in _paths(folders):
        try:
            folder = path
            if path.suffix == ".zip":
                folder = unpack_bundle(path, into=unpack_into, trust=trust)
            bundle = read_bundle(folder, trust=trust, releases=releases)
        except ModelBundleError as error:
            problems.append(error)
            continue
        there = found.setdefault(bundle.card.task, bundle)
        if there.card.name == bundle.card.name and there.card.release < bundle.card.release:
            found[bundle.card.task] = bundle
            problems.append(_older(there, bundle))
    return found


def _paths(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if path.suffix == ".zip" or (path / CARD).exists() or (path / SUMS).exists():
                yield path


def _older(old: Bundle, new: Bundle) -> ModelBundleError:
    return ModelBundleError(
        f"Release {old.card.release} of {old.card.name} in {old.folder.parent} is older than release "
        f"{new.card.release}, which is there too. The newer one serves.",
        remedy="Remove the older bundle.",
    )
