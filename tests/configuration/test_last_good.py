# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A broken edit does not keep the appliance from starting: the last good settings serve, and it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.configuration.last_good import keep_as_good, kept_settings, note_start, settings_for_running
from appliance.errors import ConfigError
from appliance.layout import Layout
from appliance.monitor.diagnosis import Health
from appliance.monitor.settings_file import settings_file

GOOD = "site_name = 'West'\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "scanside.toml"
    made.write_text(GOOD, encoding="utf-8")
    return made


def stayed_up(file: Path, layout: Layout) -> None:
    note_start(layout, settings_for_running(file, layout))
    assert keep_as_good(layout)


def test_good_settings_serve_as_they_are_and_nothing_is_said(file: Path, layout: Layout) -> None:
    running = settings_for_running(file, layout)
    assert running.settings.site_name == "West"
    assert running.words is None
    assert running.content == GOOD.encode()
    assert settings_for_running(None, layout).words is None


@pytest.mark.parametrize(
    "broken", ["site_name = \n", "sight = 'x'\n", "[listener]\nport = 0\n", "\udcff", None]
)
def test_after_a_broken_edit_the_last_good_ones_serve(file: Path, layout: Layout, broken: str | None) -> None:
    stayed_up(file, layout)
    if broken is None:
        file.unlink()
    else:
        file.write_bytes(broken.encode("utf-8", "surrogateescape"))
    running = settings_for_running(file, layout)
    assert running.settings.site_name == "West"
    assert running.file == kept_settings(layout)[0]
    assert running.words is not None
    assert "last good settings" in running.words[0]
    assert str(file) in running.words[0]
    diagnosis = settings_file(file, layout)
    assert diagnosis.health is Health.FAIL
    assert "last good ones" in diagnosis.found
    note_start(layout, running)
    assert not keep_as_good(layout)  # what serves in its stead is not noted as new
    assert kept_settings(layout)[0].read_text(encoding="utf-8") == GOOD


def test_a_start_that_did_not_stay_up_replaces_nothing(file: Path, layout: Layout) -> None:
    stayed_up(file, layout)
    file.write_text("site_name = 'East'\n", encoding="utf-8")
    note_start(layout, settings_for_running(file, layout))  # and then the power went
    file.write_text("broken", encoding="utf-8")
    assert settings_for_running(file, layout).settings.site_name == "West"


def test_without_a_last_good_one_nothing_is_guessed(file: Path, layout: Layout) -> None:
    file.write_text("broken", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not TOML"):
        settings_for_running(file, layout)
    diagnosis = settings_file(file, layout)
    assert diagnosis.health is Health.FAIL
    assert "no last good ones" in diagnosis.found


def test_a_fault_of_the_environment_is_not_covered_up(
    file: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    stayed_up(file, layout)
    monkeypatch.setenv("SCANSIDE__LISTENER__PORT", "0")
    with pytest.raises(ConfigError, match=r"listener\.port"):
        settings_for_running(file, layout)


def test_the_doctor_says_which_file_and_what_is_missing(file: Path, layout: Layout) -> None:
    assert settings_file(None, layout).health is Health.OK
    stayed_up(file, layout)
    assert "last good ones of 20" in settings_file(file, layout).found
    file.write_text("[listener]\ntls = true\ncertificate_file = '/none.pem'\n", encoding="utf-8")
    assert settings_file(file, layout).health is Health.CHECK
