# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is held back and what never is; texts of ours and of a site that cannot do harm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import ManualClock
from appliance.domain.record import to_json
from appliance.errors import DeliveryError
from appliance.outputs.notice import Notice, NoticeKind
from appliance.outputs.telling import Cooldown, notice_in, text_of
from appliance.receivers import WebhookSettings

REPEAT = Notice(
    kind=NoticeKind.REPEAT,
    site="Clinic West",
    station="ROOM2",
    task="field_of_view",
    finding=None,
    band=None,
    advice="Right base cut off.",
    time="2026-01-02 10:16",
    link="5d1f",
)
FLAG = replace(
    REPEAT, kind=NoticeKind.FINDING, task="chest_triage", finding="Pneumothorax (high)", band="high"
)
DEVICE = replace(REPEAT, kind=NoticeKind.DEVICE, task=None, station=None, advice="AI OFF.")


def receiver(**known: Any) -> WebhookSettings:
    return WebhookSettings(name="ward", url="https://example.org/x", **known)


def test_the_same_sort_is_held_back_and_counted() -> None:
    clock = ManualClock()
    cooldown = Cooldown(60, clock)
    assert not cooldown.holds_back(REPEAT)
    cooldown.went_out(REPEAT)
    assert cooldown.holds_back(REPEAT)
    assert cooldown.holds_back(replace(REPEAT, link="another exam"))
    assert not cooldown.holds_back(replace(REPEAT, station="ROOM3"))
    assert not cooldown.holds_back(replace(REPEAT, task="exposure"))
    clock.advance(60)
    assert not cooldown.holds_back(REPEAT)
    assert cooldown.held_back(REPEAT) == 2
    cooldown.went_out(REPEAT)
    assert cooldown.held_back(REPEAT) == 0


def test_what_is_high_is_never_held_back_and_what_is_raised_may_be() -> None:
    cooldown = Cooldown(60, ManualClock())
    cooldown.went_out(FLAG)
    assert not cooldown.holds_back(FLAG)
    assert cooldown.holds_back(replace(FLAG, band="raised"))


def test_a_device_that_says_something_else_is_heard() -> None:
    cooldown = Cooldown(60, ManualClock())
    cooldown.went_out(DEVICE)
    assert cooldown.holds_back(DEVICE)
    assert not cooldown.holds_back(replace(DEVICE, advice="The device needs nobody any more."))


def test_what_was_not_delivered_holds_nothing_back() -> None:
    cooldown = Cooldown(60, ManualClock())
    assert not cooldown.holds_back(REPEAT)
    assert not cooldown.holds_back(REPEAT)


def test_our_own_words() -> None:
    assert text_of(FLAG, receiver(), held_back=0).splitlines() == [
        "Please look: Pneumothorax (high)? AI, not confirmed",
        "Site: Clinic West",
        "Station: ROOM2",
        "Time: 2026-01-02 10:16",
        "Exam: 5d1f",
    ]
    assert text_of(REPEAT, receiver(), held_back=3).splitlines()[-1] == "3 more of this sort were held back."
    assert text_of(DEVICE, receiver(), held_back=0).startswith("AI OFF.\n")
    named = replace(REPEAT, patient_name="DOE^JANE", patient_id="7")
    assert "Patient: DOE^JANE 7\n" in text_of(named, receiver(), held_back=0)


def test_a_site_has_its_own_words(tmp_path: Path) -> None:
    template = tmp_path / "text.jinja"
    template.write_text("{{ site }}: {{ finding or advice }}", encoding="utf-8")
    assert text_of(FLAG, receiver(template=str(template)), held_back=0) == "Clinic West: Pneumothorax (high)"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("a\n{% if %}", "TemplateSyntaxError in line 2"),
        ("{{ patient }}", "UndefinedError"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "SecurityError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{% for i in range(99999) %}much{% endfor %}", "more than"),
        ("{% for i in range(999999999) %}x{% endfor %}", "OverflowError"),
        ("{% include '/etc/passwd' %}", "TypeError"),
    ],
)
def test_a_template_that_cannot_be_used_is_said(tmp_path: Path, template: str, why: str) -> None:
    file = tmp_path / "text.jinja"
    file.write_text(template, encoding="utf-8")
    with pytest.raises(DeliveryError) as caught:
        text_of(FLAG, receiver(template=str(file)), held_back=0)
    assert why in caught.value.what
    assert caught.value.permanent
    with pytest.raises(DeliveryError, match="cannot be read"):
        text_of(FLAG, receiver(template=str(tmp_path / "gone")), held_back=0)


def test_a_file_that_is_no_notice_steps_aside(tmp_path: Path) -> None:
    file = tmp_path / "a.notice.json"
    file.write_text(to_json(FLAG), encoding="utf-8")
    assert notice_in(file) == FLAG
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(DeliveryError, match="holds no notice") as caught:
        notice_in(file)
    assert caught.value.this_file_only
