# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run, page by page, as a finger goes through it, into settings."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from appliance.clock import Clock, ManualClock, SystemClock
from appliance.config import Settings, load_settings
from appliance.first_run.answers import read_answers
from appliance.first_run.pending import answers_file, pin_hashes
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.proof import PATH, WORKER, ProofFile, moment, take_wish, write_proof
from appliance.pins import Role, load_pins
from ui.device_state import LineKind
from ui.first_run_desk import FirstRunDesk
from ui.first_run_state import FIELDS, Draft, PinState, Step
from ui.first_run_wizard import FirstRunWizard

SMALL = ((1024, 600), (154.0, 86.0))
ANSWER_MS = 60_000
"""For what takes milliseconds on a machine that has nothing else to do."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(data=tmp_path / "data")
    made.create()
    return made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "scanside.toml"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SCANSIDE__KIOSK__PINS", str(tmp_path / "etc" / "pins.toml"))
    return Settings()


@pytest.fixture
def wizard(layout: Layout, config: Path, settings: Settings, qtbot: QtBot) -> Iterator[FirstRunWizard]:
    desk = FirstRunDesk(settings, layout, SystemClock(), config=config)
    opened = FirstRunWizard(desk, SystemClock(), *SMALL, draft=desk.draft(language="en"))
    qtbot.addWidget(opened)
    opened.show()
    yield opened
    opened.stop()


def settle() -> None:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for _ in range(3):
        QCoreApplication.processEvents()


def wait(wizard: FirstRunWizard, qtbot: QtBot) -> None:
    errands = (wizard._trying, wizard._looking, wizard._testing, wizard._writing, wizard._asker._keeping)
    qtbot.waitUntil(lambda: not any(errand.is_busy for errand in errands), timeout=ANSWER_MS)


def type_in(wizard: FirstRunWizard, name: str, text: str) -> None:
    """Every key by its own button, on whichever of the keyboard's pages it is."""
    field = next(field for field in FIELDS[wizard.step] if field.name == name)
    wizard.frame.steps[wizard.step].fields[field].click()  # type: ignore[union-attr]
    assert wizard.pages.currentWidget() is wizard.keyboard
    while wizard.keyboard.text:
        key(wizard, "Delete").click()
    for character in text:
        for page in (None, "123", "A-M", "N-Z"):
            if page is not None:
                key(wizard, page).click()
            if (found := key(wizard, character)) is not None:
                found.click()
                break
    assert wizard.keyboard.text == text
    key(wizard, "Done").click()


def key(wizard: FirstRunWizard, text: str) -> Any:
    settle()
    buttons = [b for b in wizard.keyboard.findChildren(QAbstractButton) if b.isVisible()]
    return next((b for b in buttons if b.text() == text), None)


def enter_pin(wizard: FirstRunWizard, pin: str) -> None:
    for digit in pin:
        next(one for one in wizard.keypad._keys if one.text() == digit).click()
    next(one for one in wizard.keypad._keys if one.text() == "OK").click()


def kinds(wizard: FirstRunWizard, step: Step) -> set[LineKind]:
    return {line.kind for line in wizard.found[step]}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a socket of pynetdicom's
def test_a_finger_goes_through_to_settings_that_are_written(  # noqa: PLR0915  one walk
    wizard: FirstRunWizard, layout: Layout, config: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    inbox = tmp_path / "share"
    frame = wizard.frame
    assert not frame.back.isEnabled()
    frame.next.click()
    frame.profile.buttons["rural"].click()
    type_in(wizard, "site_name", "West")
    frame.next.click()

    type_in(wizard, "inbox", str(inbox))
    frame.next.click()
    wait(wizard, qtbot)
    assert wizard.step is Step.INCOMING  # there is no such folder
    assert LineKind.DANGER in kinds(wizard, Step.INCOMING)
    inbox.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    type_in(wizard, "port", str(port))
    frame.next.click()
    wait(wizard, qtbot)
    assert wizard.step is Step.OUTGOING, wizard.found

    type_in(wizard, "pacs_host", "127.0.0.1")
    frame.outgoing.echo.click()
    assert Step.OUTGOING not in wizard.found  # half a PACS is asked nothing
    type_in(wizard, "pacs_port", "1")
    type_in(wizard, "pacs_ae_title", "PACS")
    frame.outgoing.echo.click()
    assert not frame.next.isEnabled()
    wait(wizard, qtbot)
    assert wizard.step is Step.OUTGOING
    assert kinds(wizard, Step.OUTGOING) == {LineKind.ATTENTION}
    assert "does not answer" in wizard.found[Step.OUTGOING][0].detail
    frame.next.click()  # it has been seen
    assert wizard.step is Step.TIME

    frame.next.click()
    assert wizard.step is Step.TIME  # nobody has said whether it is right
    frame.time.wrong.click()
    frame.next.click()
    wait(wizard, qtbot)
    assert wizard.step is Step.TIME
    frame.time.right.click()
    frame.next.click()
    wait(wizard, qtbot)

    assert wizard.step is Step.PINS
    frame.pins.service.click()
    enter_pin(wizard, "111111")
    enter_pin(wizard, "582931")
    enter_pin(wizard, "582932")
    assert wizard.draft.service_pin is PinState.NONE  # the two differ
    enter_pin(wizard, "582931")
    enter_pin(wizard, "582931")
    wait(wizard, qtbot)
    assert wizard.draft.service_pin is PinState.CHOSEN
    assert "582931" not in pin_hashes(layout).read_text(encoding="ascii")
    frame.next.click()
    wait(wizard, qtbot)

    assert wizard.step is Step.MODELS
    frame.next.click()
    wait(wizard, qtbot)
    assert kinds(wizard, Step.EXPOSURE) == {LineKind.UNKNOWN}  # no appliance runs here
    frame.next.click()
    assert wizard.step is Step.SUMMARY
    assert not frame.next.isEnabled()
    frame.summary.write.click()
    wait(wizard, qtbot)
    assert wizard.is_written
    assert kinds(wizard, Step.SUMMARY) == {LineKind.OK}
    written = load_settings(config)
    assert (written.kiosk.profile, written.site_name) == ("rural", "West")
    assert written.intake.folders == (inbox,)
    assert [(peer.host, peer.port, peer.ae_title) for peer in written.sender.peers] == [
        ("127.0.0.1", 1, "PACS")
    ]
    assert load_pins(written.kiosk.pins).verify(Role.SERVICE, b"582931")
    assert not pin_hashes(layout).exists()
    assert read_answers(answers_file(layout)).site_name == "West"
    with qtbot.waitSignal(wizard.ended):
        frame.next.click()


def test_where_the_screen_may_not_write_it_leaves_the_answers_and_the_command(
    layout: Layout, settings: Settings, tmp_path: Path
) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("", encoding="ascii")  # root may write everywhere else
    desk = FirstRunDesk(settings, layout, SystemClock(), config=None)
    assert desk.keep_pin(Role.LEAD, b"730418") == ""
    draft = Draft(site_name="West", clock_is_right=True, lead_pin=PinState.CHOSEN)
    done = desk.write(draft)
    assert done.done
    assert [line.kind for line in done.lines] == [LineKind.ATTENTION]
    assert f"scanside first-run --answers {answers_file(layout)}" in done.lines[0].advice
    answers = read_answers(answers_file(layout))
    assert answers.pins.hashes == str(pin_hashes(layout))
    assert "730418" not in answers_file(layout).read_text(encoding="utf-8")
    failed = FirstRunDesk(settings, layout, SystemClock(), config=blocked / "scanside.toml").write(draft)
    assert not failed.done
    assert failed.lines[0].kind is LineKind.DANGER


class _Answers(ManualClock):
    """While somebody waits, the monitor is at work: it sends the exam when it is asked, and not before."""

    run: Path
    failures: tuple[str, ...] = ()
    answers = True

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        if self.answers and take_wish(self.run):
            _prove(self, self.run, PATH, failures=self.failures)


def _prove(clock: Clock, run: Path, name: str, *, failures: tuple[str, ...] = ()) -> None:
    proof = ProofFile(
        made=moment(clock),
        took_ms=1500.0,
        passed=not failures,
        failures=failures,
        image_passed=True,
        last_passed=None,
        interval_s=600.0,
    )
    write_proof(run, proof, name)


def test_the_test_exposure_is_asked_for_and_its_answer_said(layout: Layout, settings: Settings) -> None:
    clock = _Answers()
    clock.run = layout.run
    desk = FirstRunDesk(settings, layout, clock, config=None)
    assert desk.test(lambda: False).kind is LineKind.UNKNOWN  # nobody runs
    Heartbeat(layout.run, "monitor", clock).beat("waiting")
    assert desk.last_exam().kind is LineKind.UNKNOWN
    passed = desk.test(lambda: False)
    assert (passed.kind, passed.word) == (LineKind.OK, "PASSED")
    assert desk.last_exam() == passed
    _prove(clock, layout.run, WORKER, failures=("chest_triage: other numbers than the known ones.",))
    unknown = desk.test(lambda: False)  # the exam came back, and a model answers its known question wrongly
    assert unknown.kind is LineKind.DANGER
    assert "chest_triage" in unknown.detail
    _prove(clock, layout.run, WORKER)
    clock.failures = ("The planted fault of the test exam was not found.",)
    failed = desk.test(lambda: False)
    assert failed.kind is LineKind.DANGER
    assert "planted fault" in failed.detail
    clock.answers = False
    Heartbeat(layout.run, "monitor", clock).beat("waiting")
    assert desk.test(lambda: False).kind is LineKind.UNKNOWN  # an old answer is none
    clock.advance(600)
    assert desk.last_exam().kind is LineKind.UNKNOWN  # nor is one of an appliance that has ended
