# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found at the first run, line by line. What was not looked at is grey, never green. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from appliance.errors import ScansideError
from appliance.monitor.diagnosis import NOT_TRIED, Diagnosis, Health
from appliance.monitor.proof import Proof
from ui.device_state import DeviceLine, LineKind
from ui.first_run_state import FIELDS, PROFILES, Draft, PinState, Step, value_of
from ui.language import LANGUAGES, tr
from ui.models_state import ModelsState
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.proof_words import MS_PER_S
from ui.wording import clock_time

_KINDS: Final = {
    Health.OK: LineKind.OK,
    Health.CHECK: LineKind.ATTENTION,
    Health.FAIL: LineKind.DANGER,
}
LONGEST_COMMAND: Final = 400


def tried(found: Diagnosis) -> DeviceLine:
    """What `scanside first-run` says of one thing, on the screen; its words are English."""
    words = {Health.OK: tr("OK"), Health.CHECK: tr("CHECK"), Health.FAIL: tr("FAILED")}
    kind, word = _KINDS[found.health], words[found.health]
    if found.found.startswith(NOT_TRIED):
        kind, word = LineKind.UNKNOWN, tr("NOT CHECKED")
    return DeviceLine(
        subject=visible(found.subject),
        kind=kind,
        word=word,
        detail=visible(found.found, limit=LONGEST_SENTENCE),
        advice=visible(found.remedy, limit=LONGEST_SENTENCE),
    )


def not_tested() -> DeviceLine:
    """The appliance runs and has not sent one yet."""
    return _exam(
        LineKind.UNKNOWN, tr("NOT CHECKED"), advice=tr("Tap Test now. It takes up to three minutes.")
    )


def no_appliance(start: str) -> DeviceLine:
    """Nobody who could send it. `start`: the command."""
    return _exam(
        LineKind.UNKNOWN,
        tr("NOT CHECKED"),
        detail=tr("The appliance does not run on this data folder."),
        advice=tr("Start it, then test here: {command}", command=start),
    )


def no_exam_answer(why: str) -> DeviceLine:
    """It did not come back, and nobody said why: that is no pass."""
    return _exam(
        LineKind.UNKNOWN,
        tr("NOT CHECKED"),
        detail=visible(why, limit=LONGEST_SENTENCE) or tr("No answer came."),
        advice=tr("Test again. If it stays so, run: {command}", command="scanside doctor"),
    )


def under_way() -> DeviceLine:
    """It has been asked for."""
    return _exam(LineKind.UNKNOWN, tr("Testing…"), detail=tr("A drawn chest goes the whole way of an image."))


def after_exam(proof: Proof) -> DeviceLine:
    """It came back."""
    when = clock_time(proof.made_at_utc)
    if proof.passed:
        seconds = f"{proof.took_ms / MS_PER_S:.1f}"
        return _exam(
            LineKind.OK,
            tr("PASSED"),
            detail=tr(
                "At {time}: the planted fault was found and the report arrived, in {seconds} s.",
                time=when,
                seconds=seconds,
            ),
        )
    return _exam(
        LineKind.DANGER,
        tr("FAILED"),
        detail=visible("; ".join(proof.failures), limit=LONGEST_SENTENCE),
        advice=tr("Do not use it. Run: {command}", command="scanside doctor"),
    )


def _exam(kind: LineKind, word: str, *, detail: str = "", advice: str = "") -> DeviceLine:
    return DeviceLine(subject=tr("Test exposure"), kind=kind, word=word, detail=detail, advice=advice)


def models_line(models: ModelsState) -> DeviceLine:
    """All models in one line, for the last page."""
    names = "  ·  ".join(model.title for model in models.models)
    lines = [line for model in models.models for line in (model.trust, *model.passports)]
    unproved = any(line.kind is not LineKind.OK for line in lines)
    if models.refused:
        kind, word = LineKind.ATTENTION, tr("CHECK")
    elif not models.models or unproved:
        kind, word = LineKind.UNKNOWN, tr("NOT PROVED")
    else:
        kind, word = LineKind.OK, tr("OK")
    return DeviceLine(subject=tr("Models"), kind=kind, word=word, detail=names or models.message)


def refused(error: ScansideError | OSError) -> DeviceLine:
    """Nothing was written."""
    words = str(error) if isinstance(error, ScansideError) else (error.strerror or type(error).__name__)
    return DeviceLine(
        subject=tr("Settings"),
        kind=LineKind.DANGER,
        word=tr("NOT WRITTEN"),
        advice=visible(words, limit=LONGEST_SENTENCE),
    )


def written(file: Path, *, in_place: bool, command: str, beside: Path | None) -> tuple[DeviceLine, ...]:
    """Where the answers are, and what makes them count. `beside`: where the settings before them are."""
    command = visible(command, limit=LONGEST_COMMAND)
    lines = [
        DeviceLine(
            subject=tr("Settings"),
            kind=LineKind.OK if in_place else LineKind.ATTENTION,
            word=tr("WRITTEN") if in_place else tr("NOT IN PLACE YET"),
            detail=visible(str(file), limit=LONGEST_SENTENCE),
            advice=tr("They count from the next start: {command}", command=command)
            if in_place
            else tr("This screen may not write settings. In a terminal run: {command}", command=command),
        )
    ]
    if beside is not None:
        lines.append(
            DeviceLine(
                subject=tr("Settings before"),
                kind=LineKind.ATTENTION,
                word=tr("KEPT BESIDE"),
                detail=visible(str(beside), limit=LONGEST_SENTENCE),
                advice=tr("What else stood in them counts no more."),
            )
        )
    return tuple(lines)


def summary(draft: Draft, found: Mapping[Step, tuple[DeviceLine, ...]]) -> tuple[DeviceLine, ...]:
    """One line per page: what was answered, and whether it held."""
    worst = {step: _worst(lines) for step, lines in found.items()}
    said = {
        Step.LANGUAGE: LANGUAGES[draft.language],
        Step.PROFILE: _joined(tr(PROFILES[draft.profile]), draft.site_name),
        Step.INCOMING: _incoming(draft),
        Step.OUTGOING: _outgoing(draft),
        Step.TIME: tr("It is right") if draft.clock_is_right else tr("It is wrong"),
        Step.PINS: _pins(draft),
        Step.MODELS: "",
        Step.EXPOSURE: "",
    }
    return tuple(
        DeviceLine(
            subject=tr(step.value),
            kind=worst[step].kind if step in worst else _unasked(step, draft),
            word=words or (worst[step].word if step in worst else tr("NOT CHECKED")),
            detail=worst[step].detail if step in worst else "",
            advice=worst[step].advice if step in worst else "",
        )
        for step, words in said.items()
    )


def _unasked(step: Step, draft: Draft) -> LineKind:
    """What needs no trial is as it was chosen; no PIN and no PACS are choices, too, but ones to see."""
    if step in {Step.LANGUAGE, Step.PROFILE}:
        return LineKind.OK
    has_pins = step is Step.PINS and PinState.NONE not in {draft.service_pin, draft.lead_pin}
    return LineKind.OK if has_pins else LineKind.UNKNOWN


def _worst(lines: tuple[DeviceLine, ...]) -> DeviceLine:
    order = (LineKind.DANGER, LineKind.ATTENTION, LineKind.UNKNOWN, LineKind.OK)
    return min(lines, key=lambda line: order.index(line.kind))


def _incoming(draft: Draft) -> str:
    port, inbox = FIELDS[Step.INCOMING][2], FIELDS[Step.INCOMING][0]
    door = f"{draft.ae_title}:{value_of(draft, port)}" if draft.takes_from_network else ""
    return _joined(value_of(draft, inbox), door)


def _outgoing(draft: Draft) -> str:
    if not draft.has_pacs:
        return tr("none")
    more = f"+{len(draft.more_pacs)}" if draft.more_pacs else ""
    return _joined(f"{draft.pacs_ae_title}, {draft.pacs_host}:{draft.pacs_port}", more)


def _pins(draft: Draft) -> str:
    pins = {tr("Service"): draft.service_pin, tr("Reject figures"): draft.lead_pin}
    return _joined(*(name for name, pin in pins.items() if pin is not PinState.NONE)) or tr("none")


def _joined(*parts: str) -> str:
    return "  ·  ".join(visible(part, limit=LONGEST_SENTENCE) for part in parts if part)
