# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A wrong setting is refused in words; a right one is taken from file and environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import load_settings
from appliance.errors import ConfigError
from appliance.layout import Layout


def write(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, "[listener]\nport = 104\nae_title = 'ROOM1'\n")
    monkeypatch.setenv("SCANSIDE__LISTENER__PORT", "11113")
    settings = load_settings(file)
    assert settings.listener.port == 11113
    assert settings.listener.ae_title == "ROOM1"
    assert settings.worker.max_attempts == 3


# Trace: REQ-051
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[listener]\nport = 70000\n", "listener.port = 70000"),
        ("[listener]\nprot = 104\n", "listener.prot"),
        ("[worker]\nengines = ['tpu']\n", "worker.engines.0 = 'tpu'"),
        ("[listener]\nae_title = 'A TITLE THAT IS TOO LONG'\n", "listener.ae_title"),
        ("[intake]\nlook_interval_s = 'soon'\n", "intake.look_interval_s = 'soon'"),
        ("this is not toml", "is not TOML"),
        ("sender = 3", "sender = 3"),
    ],
)
def test_a_wrong_setting_names_file_key_and_value(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as told:
        load_settings(file)
    assert said in str(told.value)
    assert str(file) in str(told.value)
    assert told.value.remedy


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "none.toml")


def test_the_layout_lies_under_one_folder(tmp_path: Path) -> None:
    layout = Layout(data=tmp_path / "data")
    layout.create()
    layout.create()
    assert layout.inbox.is_dir()
    assert all(folder.is_relative_to(layout.data) for folder in (layout.spool, layout.database, layout.views))


def test_a_remote_engine_needs_an_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "scanside.toml"
    file.write_text('[worker]\nengines = ["remote", "ort"]\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"remote\.address is empty"):
        load_settings(file)
    monkeypatch.setenv("SCANSIDE__REMOTE__ADDRESS", "inference.example:8001")
    assert load_settings(file).remote.address == "inference.example:8001"


@pytest.mark.parametrize("address", ["inference.example", "http://inference.example:8001", "a b:1", "host:"])
def test_an_address_is_a_host_and_a_port(address: str, tmp_path: Path) -> None:
    file = tmp_path / "scanside.toml"
    file.write_text(f'[remote]\naddress = "{address}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"remote\.address"):
        load_settings(file)
