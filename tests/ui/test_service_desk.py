# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Settings
from appliance.domain.audit import AuditKind
from appliance.pins import Role
from appliance.receivers import PeerSettings
from appliance.store.audit import Trail
from appliance.store.decisions import Choice, Decisions
from appliance.updates.choice import LAUNCHER, alone, write_choice
from tests.receiver import receiver
from tests.updates.test_choice import choice_of, put_slot, slot_of
from ui.service_desk import ServiceDesk

NOBODY_LISTENS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom leaves the socket of a refused connection to the collector."""


def desk_of(clinic: Any, *peers: PeerSettings, pins: Path | None = None) -> ServiceDesk:
    settings = Settings.model_validate(
        {
            "kiosk": {"pins": pins or clinic.layout.run / "none.toml"},
            "sender": {"peers": [peer.model_dump() for peer in peers]},
        }
    )
    return ServiceDesk(settings, clinic.layout, clinic.clock)


def peer(name: str, port: int) -> PeerSettings:
    return PeerSettings(name=name, host="127.0.0.1", port=port, ae_title="ARCHIVE")


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@NOBODY_LISTENS
def test_a_real_receiver_answers_and_a_closed_port_is_words(clinic: Any) -> None:
    with receiver() as (port, _):
        desk = desk_of(clinic, peer("PACS", port), peer("Gone", closed_port()))
        there, gone = desk.ask_receivers(lambda: False)
    assert (there.answered, there.words) == (True, "Answers")
    assert gone.answered is False
    assert "does not answer" in gone.words


def test_giving_up_leaves_the_rest_unasked(clinic: Any) -> None:
    desk = desk_of(clinic, peer("Gone", closed_port()))
    assert desk.ask_receivers(lambda: True) == desk.receivers()


def test_only_decisions_of_today_are_counted_and_the_last_one_counts(clinic: Any) -> None:
    ledger = Decisions(clinic.database)
    for exam_id in ("old", "changed", "new"):
        clinic.land(exam_id)
    ledger.decide("old", 1, Choice.REPEAT, reason="Too dark.")
    clinic.clock.advance(24 * 3600)
    ledger.decide("changed", 1, Choice.REPEAT, reason="Too dark.")
    ledger.decide("changed", 1, Choice.KEEP, reason="Patient cannot repeat")
    ledger.decide("new", 1, Choice.REPEAT, reason="Too dark.")
    rejects = desk_of(clinic).count_rejects().rejects
    assert rejects is not None
    assert rejects.total == "1 of 2 decided images repeated"
    assert [(line.view, line.reason) for line in rejects.lines] == [
        ("Chest PA", "Too dark"),
        ("Chest PA", "Patient cannot repeat"),
    ]


def test_a_store_that_is_not_there_is_words(clinic: Any, tmp_path: Path) -> None:
    desk = ServiceDesk(Settings(), type(clinic.layout)(data=tmp_path / "gone"), clinic.clock)
    answer = desk.count_rejects()
    assert answer.rejects is None
    assert answer.trouble


@pytest.mark.parametrize("role", list(Role))
def test_no_file_is_locked_and_fits_nothing(clinic: Any, role: Role) -> None:
    desk = desk_of(clinic)
    assert f"scanside pin set {role.value}" in desk.locked(role)
    assert not desk.compare(role, b"123456").fits


def test_a_damaged_file_is_words_and_fits_nothing(clinic: Any, tmp_path: Path) -> None:
    pins = tmp_path / "pins.toml"
    pins.write_text("damaged", encoding="ascii")
    pins.chmod(0o600)
    desk = desk_of(clinic, pins=pins)
    assert "is damaged" in desk.locked(Role.LEAD)
    assert "is damaged" in desk.compare(Role.LEAD, b"123456").trouble


# Trace: REQ-059
def test_one_tap_asks_for_the_software_from_before(clinic: Any, tmp_path: Path) -> None:
    put_slot(tmp_path, slot_of("a", 2))
    put_slot(tmp_path, slot_of("b", 3))
    (tmp_path / LAUNCHER).touch()
    desk = ServiceDesk(Settings(), clinic.layout, clinic.clock, root=tmp_path)
    assert desk.way_back() is None
    values = {fact.title: fact.value for fact in desk.facts()}
    assert values["What changed"] == "All of it."
    write_choice(tmp_path, replace(choice_of(tmp_path), before="a", before_bundle=slot_of("a", 2).bundle))
    assert desk.way_back() is None, "no launcher runs that could do it"
    with alone(tmp_path, "launcher.lock"):
        assert desk.way_back() == "0.2.0"
        assert desk.wish_back() == ""
    assert clinic.layout.update_wish.exists()
    assert Trail(clinic.database).latest(AuditKind.UPDATE) is not None


def test_software_that_runs_from_no_slot_has_no_way_back(clinic: Any) -> None:
    desk = desk_of(clinic)
    assert desk.way_back() is None
    assert "What changed" not in {fact.title for fact in desk.facts()}
