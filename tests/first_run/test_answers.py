# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Answers from a file and from a terminal become the settings that they say."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from appliance.clock import ManualClock
from appliance.config import Settings, load_settings
from appliance.configuration.checking import check_settings
from appliance.errors import ConfigError
from appliance.first_run.answers import Answers, answers_text, read_answers, settings_text
from appliance.first_run.asking import ask
from appliance.first_run.checking import check_pins
from appliance.first_run.writing import write_first_settings
from appliance.monitor.diagnosis import Health
from appliance.pins import Role, load_pins, set_pin

REPOSITORY = Path(__file__).resolve().parents[2]


def settings_of(answers: Answers, folder: Path) -> Settings:
    file = folder / "settings.toml"
    file.write_text(settings_text(answers), encoding="utf-8")
    assert [fault for fault in check_settings(file).faults if not fault.only_here] == []
    return load_settings(file)


def test_the_page_shows_a_whole_file_that_becomes_settings(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "first-run.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "answers.toml"
    file.write_text(example, encoding="utf-8")
    answers = read_answers(file)
    assert all(getattr(answers, name) for name in Answers.model_fields)  # nothing is left out
    settings = settings_of(answers, tmp_path)
    assert settings.kiosk.profile == "fracture"
    assert settings.intake.folders == (Path(answers.inbox),)
    assert settings.listener.calling_ae_titles == answers.dicom.senders
    assert [(peer.name, peer.port) for peer in settings.sender.peers] == [("pacs", 104), ("second", 11112)]
    assert answers.pins.service not in settings_text(answers)
    file.write_text(answers_text(answers), encoding="utf-8")
    again = read_answers(file)
    assert again == answers.model_copy(update={"pins": again.pins})
    assert again.pins.service == ""


def test_no_answer_at_all_changes_nothing(tmp_path: Path) -> None:
    assert settings_of(Answers(), tmp_path) == load_settings()


def test_every_answer_that_cannot_be_is_named(tmp_path: Path) -> None:
    file = tmp_path / "answers.toml"
    file.write_text('profile = "ward"\n[pins]\nservice = "12"\n[[pacs]]\nhost = "h"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        read_answers(file)
    for word in ("profile", "pins.service", "pacs.0.ae_title"):
        assert word in told.value.what


def test_a_person_in_a_terminal_is_asked_again_until_an_answer_can_be() -> None:
    app = typer.Typer()
    given: list[Answers] = []
    app.command()(lambda: given.append(ask(ManualClock())))
    lines = ["ward", "rural", "sw", "Clinic West", "", "y"]
    lines += ["y", "DX1 DX2", "A TITLE THAT IS TOO LONG", "WEST", "0", "11113"]
    lines += ["y", "pacs", "10.0.0.5", "104", "PACS", "n", "111111", "582931", ""]
    done = CliRunner().invoke(app, input="\n".join(lines) + "\n")
    assert done.exit_code == 0, done.output
    (answers,) = given
    assert (answers.profile, answers.language, answers.site_name) == ("rural", "sw", "Clinic West")
    assert (answers.dicom.ae_title, answers.dicom.port, answers.dicom.senders) == (
        "WEST",
        11113,
        ("DX1", "DX2"),
    )
    assert [(one.host, one.ae_title) for one in answers.pacs] == [("10.0.0.5", "PACS")]
    assert (answers.pins.service, answers.pins.lead) == ("582931", "")
    assert done.output.count("That cannot be") == 3
    assert "the first that anybody would try" in done.output
    assert "582931" not in done.output


def test_settings_that_are_there_stay_unless_a_person_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANSIDE__KIOSK__PINS", str(tmp_path / "pins.toml"))
    file = tmp_path / "etc" / "scanside.toml"
    answers = Answers.model_validate({"site_name": "West", "pins": {"service": "582931"}})
    assert write_first_settings(answers, file) is None
    assert load_pins(tmp_path / "pins.toml").verify(Role.SERVICE, b"582931")
    with pytest.raises(ConfigError, match="no first run"):
        write_first_settings(Answers(site_name="East"), file)
    assert load_settings(file).site_name == "West"
    before = write_first_settings(Answers(site_name="East"), file, replace=True)
    assert before is not None
    assert load_settings(before).site_name == "West"
    assert load_settings(file).site_name == "East"


def test_settings_as_shipped_are_none_that_a_person_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("SCANSIDE__")]:
        monkeypatch.delenv(name)
    file = tmp_path / "scanside.toml"
    shipped = (REPOSITORY / "packaging" / "deb" / "scanside.toml").read_bytes()
    file.write_bytes(shipped)
    file.chmod(0o644)
    before = write_first_settings(Answers(site_name="West"), file)
    assert before is not None
    assert before.read_bytes() == shipped
    assert load_settings(file).site_name == "West"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644  # whoever could read it still can


def test_pins_come_as_hashes_and_one_that_is_not_named_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins, hashes = tmp_path / "pins.toml", tmp_path / "first-run-pins.toml"
    monkeypatch.setenv("SCANSIDE__KIOSK__PINS", str(pins))
    set_pin(pins, Role.LEAD, "730418")
    answers = Answers.model_validate({"pins": {"hashes": str(hashes)}})
    (missing,) = check_pins(answers, pins)
    assert missing.health is Health.FAIL
    set_pin(hashes, Role.SERVICE, "582931")
    (good,) = check_pins(answers, pins)
    assert good.health is Health.OK
    write_first_settings(answers, tmp_path / "scanside.toml")
    assert load_pins(pins).verify(Role.SERVICE, b"582931")
    assert load_pins(pins).verify(Role.LEAD, b"730418")
    hashes.chmod(0o666)  # whoever could write there could choose the PIN
    (open_to_all,) = check_pins(answers, pins)
    assert open_to_all.health is Health.FAIL
