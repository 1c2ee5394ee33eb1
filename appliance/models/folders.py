# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of bundles: the shipped one and those of the settings. The first of a task is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ModelBundleError
from appliance.models.bundle import Bundle, read_bundle, unpack_bundle
from appliance.models.contents import CARD, SUMS
from appliance.models.keys import Trust
from appliance.models.releases import DowngradeError, Releases


@dataclass(frozen=True, slots=True, kw_only=True)
class InFolders:
    """Task to bundle: the first that was found, but never one that is older than another release of it."""

    found: Mapping[str, Bundle]
    too_old: Mapping[str, Bundle]
    """Whole and signed, and lower than a release that has served here: they wait for a step back to them."""
    downgrades: tuple[DowngradeError, ...]
    """Why those wait."""


def read_folders(
    folders: tuple[Path, ...],
    *,
    unpack_into: Path,
    trust: Trust | None,
    releases: Releases | None,
    problems: list[ModelBundleError],
) -> InFolders:
    """The bundles of some folders, signed with a key of `trust`; `releases`: what has served here.

    What was refused or passed over is added to `problems`. Folders that do not exist are empty.
    """
    found: dict[str, Bundle] = {}
    too_old: dict[str, Bundle] = {}
    downgrades: list[DowngradeError] = []
    for path in _paths(folders):
        folder = path
        try:
            if path.suffix == ".zip":
                folder = unpack_bundle(path, into=unpack_into, trust=trust)
            _keep(read_bundle(folder, trust=trust, releases=releases), found, problems)
        except DowngradeError as error:
            downgrades.append(error)
            _keep(read_bundle(folder, trust=trust), too_old, problems)
        except ModelBundleError as error:
            problems.append(error)
    return InFolders(found=found, too_old=too_old, downgrades=tuple(downgrades))


def _keep(bundle: Bundle, kept: dict[str, Bundle], problems: list[ModelBundleError]) -> None:
    there = kept.setdefault(bundle.card.task, bundle)
    if there.card.name == bundle.card.name and there.card.release < bundle.card.release:
        kept[bundle.card.task] = bundle
        problems.append(_older(there, bundle))


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
