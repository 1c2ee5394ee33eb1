# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.pins import Role, load_pins, set_pin


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "pins.toml"


def test_no_file_is_no_pin_and_none_fits(file: Path) -> None:
    pins = load_pins(file)
    assert not pins.has(Role.SERVICE)
    assert not any(pins.verify(role, pin) for role in Role for pin in (b"", b"0000", b"123456"))


def test_a_pin_fits_its_own_role_alone(file: Path) -> None:
    set_pin(file, Role.SERVICE, "483920")
    set_pin(file, Role.LEAD, "706154")
    pins = load_pins(file)
    assert pins.verify(Role.SERVICE, b"483920")
    assert pins.verify(Role.LEAD, b"706154")
    assert not pins.verify(Role.LEAD, b"483920")
    assert not pins.verify(Role.SERVICE, b"483921")
    assert not pins.verify(Role.SERVICE, b"")


def test_the_file_is_private_holds_no_pin_and_salts_each(file: Path) -> None:
    set_pin(file, Role.SERVICE, "483920")
    set_pin(file, Role.LEAD, "483920")
    text = file.read_text(encoding="ascii")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "483920" not in text
    hashes = [line for line in text.splitlines() if line.startswith("hash")]
    assert len(set(hashes)) == 2
    assert [path.name for path in file.parent.iterdir()] == ["pins.toml"]


@pytest.mark.parametrize("mode", [0o604, 0o606, 0o620, 0o644, 0o660, 0o601])
def test_a_file_that_others_may_use_is_refused(file: Path, mode: int) -> None:
    set_pin(file, Role.SERVICE, "483920")
    file.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_pins(file)
    with pytest.raises(ConfigError, match="chmod 600"):
        set_pin(file, Role.LEAD, "706154")


def test_a_group_may_read_and_stays_when_a_pin_changes(file: Path) -> None:
    set_pin(file, Role.SERVICE, "483920")
    file.chmod(0o640)
    set_pin(file, Role.SERVICE, "706154")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert load_pins(file).verify(Role.SERVICE, b"706154")


@pytest.mark.parametrize(
    "pin", ["", "12345", "1234567890123", "48 3920", "48392a", "٤٨٣٩٢٠", "000000", "123456"]
)
def test_what_is_no_pin_is_refused(file: Path, pin: str) -> None:
    with pytest.raises(ConfigError):
        set_pin(file, Role.SERVICE, pin)
    assert not file.exists()


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        '[service]\nsalt = "zz"\n',
        "[service]\nn = 99999999999\n",
        '[boss]\nsalt = "00"\n',
        "\xff\xfe",
    ],
)
def test_a_damaged_file_is_refused_and_its_content_not_said(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="is damaged") as raised:
        load_pins(file)
    assert text not in str(raised.value)
