# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Settings
from appliance.pins import Role
from appliance.receivers import PeerSettings
from appliance.store.decisions import Choice, Decisions
from tests.receiver import receiver
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
