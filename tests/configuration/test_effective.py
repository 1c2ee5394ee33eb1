# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Each setting with its value and where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.configuration.effective import effective_settings


def test_each_value_says_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANSIDE__LISTENER__PORT", "10400")
    file = tmp_path / "scanside.toml"
    file.write_text(
        "[listener]\nport = 104\nhost = '0.0.0.0'\n[[sender.stow]]\nname = 's'\nurl = 'https://me:pw@h/x'\n",
        encoding="utf-8",
    )
    shown = {one.key: one for one in effective_settings(file)}
    assert (shown["listener.port"].value, shown["listener.port"].source) == (
        10400,
        "environment variable SCANSIDE__LISTENER__PORT",
    )
    assert (shown["listener.host"].value, shown["listener.host"].source) == ("0.0.0.0", "line 3")
    assert shown["sender.stow.0.url"].value == "https://***@h/x"
    assert shown["sender.stow.0.url"].source == "line 6"
    assert shown["worker.threads"].source == "default"
    assert shown["worker.engines"].value == ["auto"]


def test_all_settings_are_there() -> None:
    keys = [one.key for one in effective_settings(None)]
    assert len(keys) == len(set(keys))
    assert {"settings_version", "listener.port", "sender.peers", "retention.keep_days"} <= set(keys)
