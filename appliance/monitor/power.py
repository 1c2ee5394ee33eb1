# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The battery, where Linux tells of one, and how many more exams it is good for.

Nothing is estimated from figures of other devices: where power, energy or exams are not known, the answer
is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S

POWER_SUPPLY: Final = Path("/sys/class/power_supply")
"""Linux power supply class (Documentation/ABI/testing/sysfs-class-power): one folder per supply."""
LOW_FRACTION: Final = 0.2
"""About an hour on a portable set; time enough to find the charger."""
EMPTY_FRACTION: Final = 0.07
"""Most devices switch themselves off at 3 to 5 %."""
EXAMS_WINDOW_S: Final = 3600.0
"""What an exam costs is taken from this last hour."""
FEWEST_EXAMS: Final = 3
"""One exam in an hour says more about waiting than about exams."""
SHORTEST_WINDOW_S: Final = 600.0
_MICRO: Final = 1e-6
_S_PER_H: Final = 3600.0
_WHOLE: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """One that feeds the device. None: it does not tell."""

    fraction: float
    """Of its charge, 0 to 1."""
    discharging: bool
    energy_j: float | None
    """Left in it."""
    power_w: float | None
    """Drawn from it now."""

    @property
    def is_low(self) -> bool:
        """It empties, and not much is left."""
        return self.discharging and self.fraction <= LOW_FRACTION

    @property
    def is_nearly_empty(self) -> bool:
        """It empties, and the device is about to stop."""
        return self.discharging and self.fraction <= EMPTY_FRACTION


def read_battery(root: Path = POWER_SUPPLY) -> Battery | None:
    """The device's battery, the emptiest of several; None where there is none or it does not tell."""
    found = [battery for folder in sorted(root.glob("*")) if (battery := _battery(folder)) is not None]
    return min(found, key=lambda battery: battery.fraction, default=None)


def exams_left(battery: Battery, *, exams: int, window_s: float) -> int | None:
    """For how many exams the rest of the charge is enough, at the pace of the last `window_s`.

    The energy of an exam is the measured power over that time, shared by the `exams` that were made in it.
    None: not discharging, the battery tells too little, or too few exams say what one costs.
    """
    known = battery.energy_j is not None and battery.power_w is not None and battery.power_w > 0
    if not known or not battery.discharging or exams < FEWEST_EXAMS or window_s < SHORTEST_WINDOW_S:
        return None
    assert battery.energy_j is not None  # as `known` says
    assert battery.power_w is not None
    joules_per_exam = battery.power_w * window_s / exams
    return int(battery.energy_j / joules_per_exam)


def exams_in_window(landed_ns: tuple[int, ...], *, now_ns: int, most: int) -> tuple[int, float]:
    """How many exams landed in the last hour, and how long that window really is.

    `landed_ns`: monotonic times of the newest exams; `most`: how many of them the caller has looked at.
    Where all of those lie within the hour there may be more, so only the time that they cover counts; and
    a device that runs for less than an hour has a window as long as it runs.
    """
    start_ns = max(0, now_ns - round(EXAMS_WINDOW_S * NS_PER_S))
    inside = [landed for landed in landed_ns if start_ns <= landed <= now_ns]
    if inside and len(inside) >= most:
        start_ns = min(inside)
    return len(inside), (now_ns - start_ns) / NS_PER_S


def _battery(folder: Path) -> Battery | None:
    """None for a charger, and for the battery of a mouse or a detector (scope "Device")."""
    if _text(folder / "type") != "Battery" or _text(folder / "scope") == "Device":
        return None
    percent = _number(folder / "capacity")
    if percent is None or not 0 <= percent <= _WHOLE:
        return None
    energy_uwh, power_uw = _number(folder / "energy_now"), _number(folder / "power_now")
    return Battery(
        fraction=percent / _WHOLE,
        discharging=_text(folder / "status") == "Discharging",
        energy_j=None if energy_uwh is None else energy_uwh * _MICRO * _S_PER_H,
        power_w=None if power_uw is None else abs(power_uw) * _MICRO,  # some drivers count it negative
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(file: Path) -> int | None:
    try:
        return int(_text(file))
    except ValueError:
        return None
