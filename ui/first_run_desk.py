# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Behind the pages of the first run: tries answers out, asks the appliance, writes. No widgets.

Slow functions for an errand; each gives its answer as a value and raises nothing that it expects.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.durable import may_be_made
from appliance.errors import ScansideError
from appliance.first_run.pending import is_as_shipped, keep_answers, never_set_up, pin_hashes
from appliance.layout import Layout
from appliance.monitor.diagnosis import Diagnosis, Health
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.proof import PATH, WORKER, Proof, ask_for_exam, read_proof_of
from appliance.pins import Role, load_pins, set_pin
from ui.device_state import DeviceLine
from ui.first_run_lines import after_exam, no_appliance, no_exam_answer, not_tested, refused, tried, written
from ui.first_run_state import Draft, PinState, Step, answers_of, draft_of
from ui.models_state import ModelsState, models_state, not_checked
from ui.plain_text import LONGEST_SENTENCE, visible

RUNS_WITHIN_S: Final = 60.0
"""Whoever sends the test exam counts and reports, too: it is not silent for longer."""
ANSWER_LIMIT_S: Final = 240.0
"""Longer than the exam itself may take (processes/proof_path.py)."""
LOOK_S: Final = 0.5
INSTALLED: Final = Path("/etc/scanside/scanside.toml")
"""The settings of an installed device, whose `scanside` knows them and the data folder."""
DEFAULT: Final = Path("scanside.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of trying the answers of a page out."""

    step: Step
    draft: Draft
    """The answers that it is about."""
    lines: tuple[DeviceLine, ...]
    blocks: bool
    """The device would not work so."""
    is_doubtful: bool
    """It would, and somebody should look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of the answers."""

    lines: tuple[DeviceLine, ...]
    done: bool


class FirstRunDesk:
    """One per first run."""

    def __init__(self, settings: Settings, layout: Layout, clock: Clock, *, config: Path | None) -> None:
        """`config`: the settings file that this device starts with; None: it starts without one."""
        self._settings = settings
        self._layout = layout
        self._clock = clock
        self._config = config

    def try_out(self, step: Step, draft: Draft) -> Found:
        """Every answer of that page, for real."""
        found = tuple(self._tried(step, draft))
        return Found(
            step=step,
            draft=draft,
            lines=tuple(tried(one) for one in found),
            blocks=any(one.health is Health.FAIL for one in found),
            is_doubtful=any(one.health is Health.CHECK for one in found),
        )

    def _tried(self, step: Step, draft: Draft) -> Iterator[Diagnosis]:
        from appliance.first_run import checking  # noqa: PLC0415  (pynetdicom: a second, needed here only)

        answers = answers_of(draft, pin_hashes(self._layout))
        with tempfile.TemporaryDirectory(prefix="scanside-first-run-") as scratch:
            settings, faults = checking.settings_of(answers, Path(scratch))
        if settings is None:
            yield from faults
        elif step is Step.INCOMING:
            yield from checking.check_inbox(answers)
            yield checking.check_door(settings, self._layout, self._clock)
        elif step is Step.OUTGOING:
            yield from checking.check_receivers(settings)
        elif step is Step.TIME:
            yield checking.check_clock(answers, self._clock)
        elif step is Step.PINS:
            yield from checking.check_pins(answers, None)

    def draft(self, *, language: str) -> Draft:
        """What is in force. `language`: the one that the screen speaks now."""
        kept = dict.fromkeys(Role, PinState.NONE)
        with suppress(ScansideError):  # a file of PINs that cannot be read is said where they are entered
            pins = load_pins(self._settings.kiosk.pins)
            kept |= {role: PinState.KEPT for role in Role if pins.has(role)}
        draft = draft_of(self._settings, language=language)
        return replace(draft, service_pin=kept[Role.SERVICE], lead_pin=kept[Role.LEAD])

    def keep_pin(self, role: Role, pin: bytes) -> str:
        """Its hash into the data folder; "" or why not. The PIN itself is nowhere afterwards."""
        file = pin_hashes(self._layout)
        try:
            set_pin(file, role, pin.decode("ascii"))
        except ScansideError as error:
            return visible(str(error), limit=LONGEST_SENTENCE)
        return ""

    def models(self) -> ModelsState:
        """What serves on this device, with signatures and passports."""
        from appliance.processes.models import inventory_of  # noqa: PLC0415  (onnx, cryptography)

        try:
            return models_state(inventory_of(self._settings, self._layout))
        except ScansideError as error:
            return not_checked(str(error))

    def last_exam(self) -> DeviceLine:
        """The newest test exposure of this start of the machine."""
        proof = self._proof()
        if not self._runs():
            return no_appliance(self._run())
        return not_tested() if proof is None or proof.made_ns is None else self._judged(proof)

    def test(self, gives_up: Callable[[], bool]) -> DeviceLine:
        """Have the running appliance send its test exposure the whole way, and wait for what comes of it."""
        if not self._runs():
            return no_appliance(self._run())
        asked_ns = self._clock.monotonic_ns()
        try:
            ask_for_exam(self._layout.run)
        except OSError as error:
            return no_exam_answer(error.strerror or type(error).__name__)
        while not gives_up() and self._clock.monotonic_ns() - asked_ns < ANSWER_LIMIT_S * NS_PER_S:
            proof = self._proof()
            if proof is not None and proof.made_ns is not None and proof.made_ns > asked_ns:
                return self._judged(proof)
            self._clock.sleep(LOOK_S)
        return no_exam_answer("")

    def _judged(self, exam: Proof) -> DeviceLine:
        """The exam came back; but the models' own known questions are the worker's proof."""
        worker = read_proof_of(self._layout.run, WORKER, self._clock)
        failed = worker is not None and worker.made_ns is not None and not worker.passed
        return after_exam(worker if worker is not None and failed and exam.passed else exam)

    def _proof(self) -> Proof | None:
        return read_proof_of(self._layout.run, PATH, self._clock)

    def _runs(self) -> bool:
        beat = read_beat(self._layout.run, "monitor", self._clock)
        return beat is not None and beat.age_s < RUNS_WITHIN_S

    def exams_wait(self) -> bool:
        """An image has come, or somebody has set this device up meanwhile: a person may need the screen."""
        return not never_set_up(self._settings, self._layout, self._clock)

    def write(self, draft: Draft) -> Written:
        """The answers into the data folder; and into the settings file, where this user may write it."""
        from appliance.first_run.writing import write_first_settings  # noqa: PLC0415

        answers = answers_of(draft, pin_hashes(self._layout))
        replaces = not is_as_shipped(self._settings)
        config = self._config
        try:
            if config is None or not self._may_write(config, with_pins=bool(answers.pins.hashes)):
                file = keep_answers(answers, self._layout)
                return Written(
                    lines=written(file, in_place=False, command=self._command(file, replaces), beside=None),
                    done=True,
                )
            before = write_first_settings(answers, config, replace=True)
            keep_answers(answers.without_pins(), self._layout)
        except (ScansideError, OSError) as error:
            return Written(lines=(refused(error),), done=False)
        if answers.pins.hashes:
            with suppress(OSError):
                pin_hashes(self._layout).unlink()
        beside = before if replaces else None
        return Written(lines=written(config, in_place=True, command=self._start(), beside=beside), done=True)

    def _may_write(self, config: Path, *, with_pins: bool) -> bool:
        files = (config, self._settings.kiosk.pins) if with_pins else (config,)
        return all(map(may_be_made, files))

    def _command(self, file: Path, replaces: bool) -> str:
        """What puts the answers in place."""
        command = f"scanside first-run --answers {file.absolute()}{' --replace' if replaces else ''}"
        if self._config == INSTALLED:
            return f"sudo {command} && {self._start()}"
        return f"{command} {self._places()}"

    def _start(self) -> str:
        """What makes them count."""
        if self._config == INSTALLED:
            return "sudo systemctl restart scanside.target scanside-kiosk"
        return f"scanside run {self._places()} --kiosk"

    def _run(self) -> str:
        """What starts the appliance as it is now."""
        if self._config == INSTALLED:
            return "sudo systemctl start scanside.target"
        config = f" --config {self._config}" if self._config else ""
        return f"scanside run{config} --data {self._layout.data.absolute()}"

    def _places(self) -> str:
        return f"--config {self._config or DEFAULT} --data {self._layout.data.absolute()}"
