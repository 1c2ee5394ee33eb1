# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A stack light with a buzzer, at GPIO pins or at a serial line. It follows a state; nothing waits for it.

Who can see no colours sees which lamp it is, and whether it flashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Final, Protocol

from typing_extensions import Self

from appliance.errors import DeliveryError
from appliance.outputs.extras import require_extra
from appliance.settings_for_people import LightSettings

WRITE_TIMEOUT_S: Final = 2.0
CALL_SERVICE: Final = "Look at the cable of the light and at the section [light] of the settings."


class LightState(str, Enum):
    """What the light says, worst first."""

    RED = "red"
    """Somebody must be told, and nobody has said that they were."""
    AI_OFF = "ai_off"
    """Amber, flashing: do not count on this device."""
    AMBER = "amber"
    """An image or the device needs somebody."""
    WORKING = "working"
    """Green, flashing: the device proved itself lately, and has images to look at."""
    GREEN = "green"
    """The device proved itself lately and nothing waits. Says nothing of any patient."""
    DARK = "dark"
    """The light was given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamps:
    """Which lamps shine now."""

    state: LightState
    red: bool = False
    amber: bool = False
    green: bool = False
    buzzer: bool = False


def lamps_of(state: LightState, *, flash: bool, buzzer: bool) -> Lamps:
    """The lamps of a state. `flash`: in which half of the flashing we are."""
    return Lamps(
        state=state,
        red=state is LightState.RED,
        amber=state is LightState.AMBER or (state is LightState.AI_OFF and flash),
        green=state is LightState.GREEN or (state is LightState.WORKING and flash),
        buzzer=buzzer and state is LightState.RED,
    )


class StackLight(Protocol):
    """A light that was opened. A context manager: at its end all lamps are dark."""

    def show(self, lamps: Lamps) -> None:
        """Make it so; doing it twice does no harm. Raises DeliveryError."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Go dark."""


class GpioLight:
    """Lamps at pins of this machine, by gpiozero (BCM numbers)."""

    def __init__(self, settings: LightSettings) -> None:
        require_extra("light", "gpiozero")
        from gpiozero import DigitalOutputDevice, GPIOZeroError  # noqa: PLC0415  (an extra)

        pins = {
            "red": settings.red_pin,
            "amber": settings.amber_pin,
            "green": settings.green_pin,
            "buzzer": settings.buzzer_pin,
        }
        self._errors: tuple[type[Exception], ...] = (GPIOZeroError, OSError)
        self._lamps: dict[str, Any] = {}
        try:
            for name, pin in pins.items():
                if pin >= 0:
                    self._lamps[name] = DigitalOutputDevice(pin, active_high=settings.active_high)
        except (GPIOZeroError, OSError) as error:
            self.__exit__(None, None, None)
            raise DeliveryError(
                f"The pins of the light cannot be used ({type(error).__name__}).",
                remedy=CALL_SERVICE,
                permanent=True,
            ) from error

    def show(self, lamps: Lamps) -> None:
        """See `StackLight.show`."""
        try:
            for name, lamp in self._lamps.items():
                lamp.value = int(getattr(lamps, name))
        except self._errors as error:
            raise DeliveryError(
                f"The light takes nothing ({type(error).__name__}).", remedy=CALL_SERVICE, permanent=False
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for lamp in self._lamps.values():
            lamp.close()  # dark


class SerialLight:
    """A light that reads lines, by pyserial: `LIGHT red 1 0 0 1` is state, red, amber, green, buzzer."""

    def __init__(self, settings: LightSettings) -> None:
        require_extra("light", "serial")
        import serial  # noqa: PLC0415  (an extra)

        self._errors: tuple[type[Exception], ...] = (serial.SerialException, OSError)
        self._device = settings.device
        try:
            self._port = serial.Serial(settings.device, settings.baud, write_timeout=WRITE_TIMEOUT_S)
        except (serial.SerialException, OSError, ValueError) as error:
            raise DeliveryError(
                f"The light at {settings.device} cannot be opened.", remedy=CALL_SERVICE, permanent=False
            ) from error

    def show(self, lamps: Lamps) -> None:
        """See `StackLight.show`."""
        shining = (lamps.red, lamps.amber, lamps.green, lamps.buzzer)
        line = f"LIGHT {lamps.state.value} {' '.join(str(int(lamp)) for lamp in shining)}\n"
        try:
            self._port.write(line.encode("ascii"))
        except self._errors as error:
            raise DeliveryError(
                f"The light at {self._device} takes nothing.", remedy=CALL_SERVICE, permanent=False
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None or not isinstance(error, DeliveryError):
                self.show(Lamps(state=LightState.DARK))
        except DeliveryError:
            pass  # it is gone; its own rule makes it dark
        finally:
            self._port.close()


def open_light(settings: LightSettings) -> StackLight:
    """The light of the settings. Raises ConfigError (extra), DeliveryError (not there)."""
    return SerialLight(settings) if settings.kind == "serial" else GpioLight(settings)
