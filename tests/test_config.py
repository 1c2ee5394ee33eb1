# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A wrong setting is refused in words; a right one is taken from file and environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import Layout, load_settings
from appliance.errors import ConfigError


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
