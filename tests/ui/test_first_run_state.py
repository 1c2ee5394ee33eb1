# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages answer is what `scanside first-run` knows; what was not tried is never green."""

from __future__ import annotations

import os
import string
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.config import Settings, load_settings
from appliance.domain.acquisition import Urgency
from appliance.first_run.answers import Answers, PacsAnswers, settings_text
from appliance.first_run.pending import answers_file, is_as_shipped, keep_answers, never_set_up
from appliance.monitor.diagnosis import NOT_TRIED, Diagnosis, Health
from tests.ui.clinic import Clinic
from ui.device_state import DeviceLine, LineKind
from ui.first_run_lines import models_line, summary, tried
from ui.first_run_state import (
    FIELDS,
    Draft,
    PinState,
    Step,
    answers_of,
    draft_of,
    fault_of,
    page_fault,
    with_network,
    with_value,
)
from ui.keyboard_state import (
    Letters,
    begins_with_capitals,
    first_page,
    last_row,
    page_names,
    rows_of,
    takes_blank,
)
from ui.models_state import ModelsState

FIELD = {field.name: field for fields in FIELDS.values() for field in fields}


def test_a_whole_draft_is_the_answers_and_the_settings_are_the_draft_again(tmp_path: Path) -> None:
    draft = Draft(
        language="sw",
        profile="emergency",
        site_name="City Hospital",
        inbox="/srv/scans",
        host="0.0.0.0",
        ae_title="WEST",
        port="11113",
        senders="DXROOM1 CT2",
        pacs_host="10.0.0.5",
        pacs_port="104",
        pacs_ae_title="PACS",
        more_pacs=(PacsAnswers(name="second", host="10.0.0.6", ae_title="TWO"),),
        clock_is_right=True,
        service_pin=PinState.CHOSEN,
    )
    answers = answers_of(draft, tmp_path / "hashes.toml")
    assert answers.dicom.senders == ("DXROOM1", "CT2")
    assert answers.pins.hashes == str(tmp_path / "hashes.toml")
    file = tmp_path / "settings.toml"
    file.write_text(settings_text(answers), encoding="utf-8")
    again = draft_of(load_settings(file), language="sw")
    assert again == replace(draft, clock_is_right=None, service_pin=PinState.NONE)


def test_an_untouched_draft_answers_nothing(tmp_path: Path) -> None:
    draft = draft_of(Settings(), language="en")
    assert answers_of(replace(draft, clock_is_right=True), tmp_path) == Answers()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "0"),
        ("port", "65536"),
        ("port", "12a"),
        ("port", ""),
        ("port", "٣"),
        ("ae_title", ""),
        ("ae_title", "A TITLE THAT IS TOO LONG"),
        ("senders", "GOOD BACK\\SLASH"),
        ("site_name", "x" * 65),
        ("inbox", "/" + "x" * 200),
    ],
)
def test_what_a_field_does_not_take_is_said(name: str, text: str) -> None:
    assert fault_of(FIELD[name], text)
    with pytest.raises(ValueError, match=r"\."):
        with_value(Draft(), FIELD[name], text)


def test_what_a_field_takes() -> None:
    draft = with_value(Draft(), FIELD["senders"], " CT2 DX1 ")
    assert draft.senders == "CT2 DX1"
    assert with_value(draft, FIELD["senders"], "").senders == ""
    assert with_value(draft, FIELD["port"], "104").port == "104"
    on = with_network(draft, on=True)
    assert on.takes_from_network
    special = replace(draft, host="192.0.2.1")
    assert with_network(special, on=True) == special  # an address that somebody has chosen stays
    assert with_network(on, on=False) == draft


def test_a_page_says_why_it_cannot_be_left() -> None:
    assert page_fault(Step.OUTGOING, Draft()) == ""
    assert page_fault(Step.OUTGOING, Draft(pacs_host="10.0.0.5"))
    assert page_fault(Step.OUTGOING, Draft(pacs_ae_title="PACS"))
    assert page_fault(Step.TIME, Draft())
    assert page_fault(Step.TIME, Draft(clock_is_right=False)) == ""  # the trial says what to do


def test_what_was_not_tried_is_never_green() -> None:
    kinds = {
        tried(Diagnosis(subject="x", health=health, found=found)).kind
        for health, found in (
            (Health.CHECK, f"{NOT_TRIED}: no network"),
            (Health.OK, f"{NOT_TRIED}: no network"),
        )
    }
    assert kinds == {LineKind.UNKNOWN}
    assert tried(Diagnosis(subject="x", health=Health.CHECK, found="refused")).kind is LineKind.ATTENTION
    assert tried(Diagnosis(subject="x", health=Health.FAIL, found="refused")).kind is LineKind.DANGER
    lines = summary(Draft(), {})
    assert [line.kind for line in lines[2:]] == [LineKind.UNKNOWN] * 6
    bad = DeviceLine(subject="x", kind=LineKind.ATTENTION, word="CHECK")
    good = DeviceLine(subject="x", kind=LineKind.OK, word="OK")
    (incoming,) = [line for line in summary(Draft(), {Step.INCOMING: (good, bad)}) if "inbox" in line.word]
    assert incoming.kind is LineKind.ATTENTION
    nothing = ModelsState(models=(), refused=(), message="No model serves on this device.")
    assert models_line(nothing).kind is LineKind.UNKNOWN


def every_character(letters: Letters, *, wide: bool) -> set[str]:
    found = set(last_row(letters, wide=wide) + (" " if takes_blank(letters) else ""))
    for page in range(max(1, len(page_names(letters, wide=wide)))):
        for capitals in (False, True):
            found |= set("".join(rows_of(letters, wide=wide, page=page, capitals=capitals)))
    return found


@pytest.mark.parametrize("wide", [True, False])
def test_every_character_that_is_needed_can_be_entered(wide: bool) -> None:
    for letters, needed in (
        (Letters.DIGITS, string.digits),
        (Letters.LARGE, string.digits + string.ascii_uppercase + "-_ "),
        (Letters.SMALL, string.digits + string.ascii_letters + "-_./:"),
        (Letters.WORDS, string.digits + string.ascii_letters + "- "),
    ):
        assert set(needed) <= every_character(letters, wide=wide)
        for page in range(max(1, len(page_names(letters, wide=wide)))):
            rows = rows_of(letters, wide=wide, page=page, capitals=False)
            assert len(rows) <= (4 if wide else 2)
            assert all(len(row) <= (10 if wide else 7) for row in rows)


def test_a_keyboard_begins_where_the_text_goes_on() -> None:
    assert first_page(Letters.SMALL, "") == first_page(Letters.SMALL, "192.") == 0
    assert first_page(Letters.SMALL, "pacs") == first_page(Letters.LARGE, "") == 1
    assert begins_with_capitals(Letters.WORDS, "City ")
    assert not begins_with_capitals(Letters.WORDS, "City H")
    assert begins_with_capitals(Letters.LARGE, "PAC")


def test_a_new_device_is_one_without_settings_answers_and_exams(clinic: Clinic) -> None:
    shipped = Settings.model_construct()  # the environment of the tests says something
    assert is_as_shipped(shipped)
    assert never_set_up(shipped, clinic.layout, clinic.clock)
    said = Settings.model_validate({"site_name": "West"})
    assert not never_set_up(said, clinic.layout, clinic.clock)
    keep_answers(Answers(), clinic.layout)
    assert not never_set_up(shipped, clinic.layout, clinic.clock)
    answers_file(clinic.layout).unlink()
    clinic.land("first", urgency=Urgency.LIVE)
    assert not never_set_up(shipped, clinic.layout, clinic.clock)


def test_a_store_that_cannot_be_read_is_no_new_device(clinic: Clinic, tmp_path: Path) -> None:
    broken = SimpleNamespace(layout=type(clinic.layout)(data=tmp_path / "broken"))
    shipped = Settings.model_construct()
    assert never_set_up(shipped, broken.layout, clinic.clock)  # nothing there
    broken.layout.database.parent.mkdir(parents=True)
    broken.layout.database.write_bytes(b"no store at all" * 100)
    assert not never_set_up(shipped, broken.layout, clinic.clock)


def test_the_settings_as_the_package_brings_them_are_as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SCANSIDE__")]:
        monkeypatch.delenv(name)
    file = Path(__file__).resolve().parents[2] / "packaging" / "deb" / "scanside.toml"
    assert is_as_shipped(load_settings(file))
