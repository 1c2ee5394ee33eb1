# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How hot the device is, where Linux tells. A device that does not tell is said not to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

THERMAL: Final = Path("/sys/class/thermal")
"""Linux thermal framework (Documentation/driver-api/thermal/sysfs-api): one folder per zone."""
HOT_C: Final = 85.0
"""From here small boards slow themselves down (Raspberry Pi 4 and 5 do at 80 to 85, Jetson Orin near 99);
where the zone names its own first limit, that one counts if it is lower."""
_MILLIDEGREES: Final = 1000.0
_POSSIBLE_C: Final = (-40.0, 150.0)
"""A sensor that says anything else is not connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """The zone that is nearest to its limit."""

    celsius: float
    limit_c: float
    zone: str
    """What the kernel calls it: "x86_pkg_temp", "cpu-thermal"."""

    @property
    def is_hot(self) -> bool:
        """At its limit, or above."""
        return self.celsius >= self.limit_c


def read_temperature(root: Path = THERMAL) -> Temperature | None:
    """The zone nearest to its limit; None where no zone tells."""
    zones = [zone for folder in sorted(root.glob("thermal_zone*")) if (zone := _zone(folder)) is not None]
    return max(zones, key=lambda zone: zone.celsius - zone.limit_c, default=None)


def _zone(folder: Path) -> Temperature | None:
    celsius = _degrees(folder / "temp")
    if celsius is None:
        return None
    limits = [
        limit for kind in sorted(folder.glob("trip_point_*_type")) if (limit := _limit(kind)) is not None
    ]
    try:
        name = (folder / "type").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        name = folder.name
    return Temperature(celsius=celsius, limit_c=min([HOT_C, *limits]), zone=name)


def _limit(kind: Path) -> float | None:
    """A trip point at which the device is in danger: a passive or active one only starts the cooling."""
    try:
        if kind.read_text(encoding="ascii", errors="replace").strip() not in {"hot", "critical"}:
            return None
    except OSError:
        return None
    limit_c = _degrees(kind.with_name(kind.name.replace("_type", "_temp")))
    return limit_c if limit_c is not None and limit_c > 0 else None  # 0: the firmware names none


def _degrees(file: Path) -> float | None:
    try:
        celsius = int(file.read_text(encoding="ascii")) / _MILLIDEGREES
    except (OSError, ValueError):
        return None
    return celsius if _POSSIBLE_C[0] <= celsius <= _POSSIBLE_C[1] else None
