# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Joules, where the device tells them. A device that does not is said not to: nothing is estimated.

A reader is a function that gives the energy used since some origin, or None; a further device (a Jetson's
sensors, a graphics card's counter) joins by standing in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

POWERCAP: Final = Path("/sys/class/powercap")
"""Linux powercap framework (Documentation/power/powercap): RAPL counters of x86 packages."""
PACKAGE_DOMAIN: Final = "intel-rapl:[0-9]*"
"""Top-level domains, one per package, also on AMD; `intel-rapl:0:1` would be a part of package 0."""
JOULES_PER_UJ: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at the counters of all packages."""

    microjoules: tuple[int, ...]
    wraps_at_microjoules: tuple[int, ...]
    """Each counter starts again at 0 after this."""


EnergyReader: TypeAlias = Callable[[], "Reading | None"]


def read_rapl(root: Path = POWERCAP) -> Reading | None:
    """The packages' counters; None where there are none or only root may read them (the usual setting)."""
    used, wraps = [], []
    try:
        for domain in sorted(root.glob(PACKAGE_DOMAIN)):
            if domain.name.count(":") == 1:
                used.append(int((domain / "energy_uj").read_text(encoding="ascii")))
                wraps.append(int((domain / "max_energy_range_uj").read_text(encoding="ascii")))
    except (OSError, ValueError):
        return None
    return Reading(microjoules=tuple(used), wraps_at_microjoules=tuple(wraps)) if used else None


READERS: Final[tuple[EnergyReader, ...]] = (read_rapl,)
"""In order; the first that tells something is the one that is used."""


def reader_of_this_device(readers: tuple[EnergyReader, ...] = READERS) -> EnergyReader | None:
    """The reader that tells something here; None when none does."""
    return next((reader for reader in readers if reader() is not None), None)


def joules_between(first: Reading | None, last: Reading | None) -> float | None:
    """What all packages used between two looks; None when one of the looks told nothing.

    It is the whole package's, with everything else that ran on it. Right while no counter wraps twice, which
    takes a minute at the least.
    """
    if first is None or last is None or len(first.microjoules) != len(last.microjoules):
        return None
    spent_uj = sum(
        after - before if after >= before else after - before + wrap
        for before, after, wrap in zip(
            first.microjoules, last.microjoules, last.wraps_at_microjoules, strict=True
        )
    )
    return spent_uj * JOULES_PER_UJ
