# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The light: one state, one picture; at gpiozero's own simulated pins and at a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory
from pydantic import ValidationError

from appliance.errors import DeliveryError
from appliance.outputs.stack_light import Lamps, LightState, lamps_of, open_light
from appliance.settings_for_people import LightSettings

PINS = {"red_pin": 22, "amber_pin": 27, "green_pin": 17, "buzzer_pin": 23}


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    """Pins that remember; gpiozero brings them for programs like ours."""
    before, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


def at_pins(**known: object) -> LightSettings:
    return LightSettings.model_validate({"kind": "gpio", **PINS, **known})


def shining(lamps: Lamps) -> str:
    return " ".join(name for name in ("red", "amber", "green", "buzzer") if getattr(lamps, name))


@pytest.mark.parametrize(
    ("state", "both_halves"),
    [
        (LightState.RED, ("red buzzer", "red buzzer")),
        (LightState.AI_OFF, ("amber", "")),
        (LightState.AMBER, ("amber", "amber")),
        (LightState.WORKING, ("green", "")),
        (LightState.GREEN, ("green", "green")),
        (LightState.DARK, ("", "")),
    ],
)
def test_every_state_looks_different_even_without_its_colour(
    state: LightState, both_halves: tuple[str, str]
) -> None:
    halves = tuple(shining(lamps_of(state, flash=flash, buzzer=True)) for flash in (True, False))
    assert halves == both_halves


def test_pins_follow_and_are_dark_at_the_end(factory: MockFactory) -> None:
    with open_light(at_pins()) as light:
        light.show(lamps_of(LightState.RED, flash=True, buzzer=True))
        assert [factory.pin(pin).state for pin in (22, 27, 17, 23)] == [True, False, False, True]
        light.show(lamps_of(LightState.GREEN, flash=True, buzzer=False))
        assert [factory.pin(pin).state for pin in (22, 27, 17, 23)] == [False, False, True, False]
    with pytest.raises(DeliveryError, match="takes nothing"):
        light.show(lamps_of(LightState.GREEN, flash=True, buzzer=False))
    assert factory.pin(17).function == "input", "given back"


def test_relays_that_close_at_zero(factory: MockFactory) -> None:
    with open_light(at_pins(active_high=False, buzzer_pin=-1)) as light:
        light.show(lamps_of(LightState.RED, flash=True, buzzer=True))
        assert [factory.pin(pin).state for pin in (22, 27, 17)] == [False, True, True]


def test_pins_that_somebody_else_has_are_said(factory: MockFactory) -> None:
    with open_light(at_pins()), pytest.raises(DeliveryError, match="GPIOPinInUse"):
        open_light(at_pins())
    with pytest.raises(DeliveryError, match="PinInvalidPin"):
        open_light(at_pins(red_pin=63))
    with open_light(at_pins()):
        pass  # what was taken before the bad pin was given back


def test_a_serial_light_hears_lines_and_that_it_is_over(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    device = tmp_path / "ttyUSB0"
    device.symlink_to(os.ttyname(slave))
    try:
        with open_light(LightSettings(kind="serial", device=str(device))) as light:
            light.show(lamps_of(LightState.RED, flash=True, buzzer=True))
            light.show(lamps_of(LightState.AI_OFF, flash=False, buzzer=False))
        said = os.read(master, 4096).decode("ascii")
    finally:
        os.close(master)
        os.close(slave)
    assert said.splitlines() == ["LIGHT red 1 0 0 1", "LIGHT ai_off 0 0 0 0", "LIGHT dark 0 0 0 0"]


def test_a_cable_that_is_pulled_out_is_said(tmp_path: Path) -> None:
    gone = LightSettings(kind="serial", device=str(tmp_path / "ttyUSB0"))
    with pytest.raises(DeliveryError, match="cannot be opened"):
        open_light(gone)
    master, slave = pty.openpty()
    tty.setraw(slave)
    with open_light(LightSettings(kind="serial", device=os.ttyname(slave))) as light:
        os.close(slave)
        os.close(master)
        with pytest.raises(DeliveryError, match="takes nothing"):
            light.show(lamps_of(LightState.GREEN, flash=True, buzzer=False))


def test_a_light_is_somewhere() -> None:
    with pytest.raises(ValidationError, match="needs its device"):
        LightSettings(kind="serial")
    with pytest.raises(ValidationError, match="at least one"):
        LightSettings(kind="gpio", buzzer_pin=3)
