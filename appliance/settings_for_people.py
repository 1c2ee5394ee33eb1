# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of what people meet: the screen, its order, the stack light, alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from appliance.domain.fair_order import NO_CEILING_S
from appliance.section import Section

S_PER_MIN: Final = 60.0

ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""HH:MM."""


class KioskSettings(Section):
    """The screen."""

    profile: Literal["scanner", "rural", "fracture"] = "scanner"
    language: Literal["en", "fr", "es", "pt", "hi", "sw", "ar"] = "en"
    screen_mm: tuple[float, float] = (344.0, 194.0)
    """Width and height of the panel (15.6 inch): touch targets are sized in millimetres."""
    poll_interval_s: float = Field(default=0.15, gt=0, le=10)
    """One page is read each time. At 0.25 s the slowest twentieth of verdicts took 302 ms to the screen."""
    commit_first: bool = False
    """The AI's answer is shown after the person said what they see. Time-critical flags at once."""
    image_first: bool = False
    """The AI's answer is shown when the person asks for it. Time-critical flags at once."""
    late_view_s: float = Field(default=20.0, gt=0, le=600)
    """A study is held open this long for its next expected view; then it is shown with what is there."""
    initials_after_min: float = Field(default=3.0, ge=0, le=1440)
    """Without a touch for this long, names become initials. 0: never."""
    idle_after_min: float = Field(default=10.0, ge=0, le=1440)
    """Without a touch for this long, only the clock and the health word are shown. 0: never."""
    pins: Path = Path("/etc/scanside/pins.toml")
    """Hashes of the roles' PINs, made by `scanside pin set`."""


class QueueSettings(Section):
    """Who is looked at next, where exams wait for a person who reads them."""

    ceiling_min: float = Field(default=45.0, gt=0, le=1440)
    """Unread for this long, an exam goes before everything but alarms and urgent requests."""
    profiles: tuple[Literal["scanner", "rural", "fracture"], ...] = ("fracture",)
    """Screens whose list keeps to the ceiling. At a scanner nobody reads: the patient there comes first."""

    def ceiling_s_of(self, profile: str) -> float:
        """The ceiling of a screen in seconds; infinity where it has none."""
        return self.ceiling_min * S_PER_MIN if profile in self.profiles else NO_CEILING_S


class LightSettings(Section):
    """A stack light. Pins are BCM numbers; -1: there is no such lamp."""

    kind: Literal["none", "gpio", "serial"] = "none"
    red_pin: int = Field(default=-1, ge=-1, le=63)
    amber_pin: int = Field(default=-1, ge=-1, le=63)
    green_pin: int = Field(default=-1, ge=-1, le=63)
    buzzer_pin: int = Field(default=-1, ge=-1, le=63)
    active_high: bool = True
    """A pin at the supply voltage makes its lamp shine. False for boards whose relays close at zero."""
    device: str = ""
    """The serial line."""
    baud: int = Field(default=9600, ge=1200, le=921600)
    any_high: bool = False
    """Red for every finding above its higher threshold, not for time-critical ones only."""
    amber_min: float = Field(default=15.0, ge=0, le=1440)
    """An image that nobody decides about is kept; amber ends then."""
    buzz_s: float = Field(default=30.0, ge=0, le=3600)

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.kind == "serial" and not self.device:
            raise ValueError("a serial light needs its device, such as /dev/ttyUSB0")
        if self.kind == "gpio" and max(self.red_pin, self.amber_pin, self.green_pin) < 0:
            raise ValueError("a light at pins needs at least one of red_pin, amber_pin and green_pin")
        return self


class AlertSettings(Section):
    """How many flags the people of a shift can look after."""

    flags_per_shift: int = Field(default=8, ge=1, le=1000)
    """More than this in one shift is said in the report, with what the threshold could do."""
    shift_starts: tuple[ClockTime, ...] = Field(default=("07:00", "15:00", "23:00"), min_length=1)
    """When shifts begin, on the device's own clock."""
