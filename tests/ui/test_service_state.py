# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from appliance.config import ListenerSettings, Settings
from appliance.errors import DeliveryError
from appliance.layout import Layout
from appliance.receivers import PeerSettings
from appliance.store.decisions import Choice, Decision
from ui.service_state import echo_line, facts_of, not_asked, rejects_of

PEER = PeerSettings(name="PACS\u202e", host="192.0.2.1", port=104, ae_title="ARCHIVE")


def decision(exam_id: str, choice: Choice, reason: str | None) -> Decision:
    at = datetime(2026, 3, 2, 8, tzinfo=timezone.utc).isoformat()
    return Decision(
        acquisition_id=exam_id, version=1, choice=choice, reason=reason, decided_at_utc=at, decision_id=1
    )


def test_rejects_are_counted_by_view_and_reason_without_sizes() -> None:
    decisions = [
        decision("a", Choice.REPEAT, "Left base cut off, 9 mm. Lower the detector 3 cm."),
        decision("b", Choice.REPEAT, "Left base cut off, 14 mm. Lower the detector 3 cm."),
        decision("c", Choice.REPEAT, "Left base cut off, 9 mm."),
        decision("d", Choice.KEEP, "Patient cannot repeat"),
        decision("e", Choice.KEEP, None),
    ]
    shown = rejects_of(decisions, {"a": "Chest PA", "b": "Chest PA", "c": "Chest LAT", "d": "Chest PA"})
    assert shown.total == "3 of 5 decided images repeated"
    assert [(line.view, line.choice, line.reason, line.count) for line in shown.lines] == [
        ("Chest PA", "Repeat", "Left base cut off", 2),
        ("Chest LAT", "Repeat", "Left base cut off", 1),
        ("Chest PA", "Kept", "Patient cannot repeat", 1),
        ("view not known", "Kept", "no reason given", 1),
    ]


def test_no_decision_is_zero_of_zero() -> None:
    assert rejects_of([], {}).total == "0 of 0 decided images repeated"


def test_a_reason_is_foreign_text() -> None:
    shown = rejects_of([decision("a", Choice.REPEAT, "cut\u202e off\n")], {})
    assert shown.lines[0].reason == "cut[U+202E] off"


def test_not_asked_is_neither_good_nor_bad() -> None:
    (line,) = not_asked([PEER])
    assert (line.answered, line.words) == (None, "Not tested yet")
    assert "[U+202E]" in line.peer


def test_what_came_of_an_echo_is_said_in_words() -> None:
    error = DeliveryError("PACS does not answer.", remedy="Look at the cable.", permanent=False)
    assert echo_line(PEER, None).answered is True
    assert echo_line(PEER, error).answered is False
    assert echo_line(PEER, error).words == "PACS does not answer. Look at the cable."


def test_a_listener_that_is_off_has_no_address() -> None:
    settings = Settings(listener=ListenerSettings(enabled=False))
    values = [fact.value for fact in facts_of(settings, Layout(data=Path("/data")), "1.0")]
    assert values == ["switched off", "/data", "1.0"]
