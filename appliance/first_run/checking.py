# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Does each answer really hold? The folder is written to, the archive is asked, the test exposure is judged.

Nothing of the device is changed: settings and models' own proofs come from a folder that goes away, and
passports land where the appliance will look for them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from appliance.clock import Clock
from appliance.config import Settings, load_settings
from appliance.configuration.checking import check_settings
from appliance.errors import ConfigError, ScansideError
from appliance.first_run.answers import Answers, settings_text
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.monitor.diagnosis import Diagnosis, Health
from appliance.monitor.neighbours import peers, port
from appliance.monitor.timekeeping import BUILD_YEAR, network_time
from appliance.pins import require_good
from appliance.processes.models import open_registry
from appliance.processes.proving import Proving

PROBE: Final = "scanside-first-run.part"
Progress = Callable[[str], None]
"""Told what is looked at now: making passports takes a minute on a small machine."""


def check_answers(
    answers: Answers, layout: Layout, clock: Clock, *, progress: Progress
) -> Iterator[Diagnosis]:
    """One after the other. FAIL: the device would not work so; CHECK: it would, and somebody should look."""
    with tempfile.TemporaryDirectory(prefix="scanside-first-run-") as scratch:
        file = Path(scratch) / "settings.toml"
        file.write_text(settings_text(answers), encoding="utf-8")
        faults = [fault for fault in check_settings(file).faults if not fault.only_here]
        if faults:
            for fault in faults:
                yield _said("settings", Health.FAIL, fault.what, fault.remedy)
            return
        settings = load_settings(file)
        failed = False
        for one in _before_models(answers, settings, layout, clock, progress):
            failed |= one.health is Health.FAIL
            yield one
        if failed:
            yield _said("models and test exposure", Health.CHECK, "not tried yet", "Mend what failed first.")
            return
        yield from _models(settings, layout, clock, Layout(data=Path(scratch) / "proof"), progress)


def _before_models(
    answers: Answers, settings: Settings, layout: Layout, clock: Clock, progress: Progress
) -> Iterator[Diagnosis]:
    """What takes seconds."""
    progress("folders")
    yield _folder("data folder", layout.data, make=True)
    if answers.inbox:
        yield _folder("inbox", Path(answers.inbox), make=False)
    yield from _pins(answers, settings.kiosk.pins)
    progress("DICOM")
    yield port(settings)
    yield from peers(settings)
    yield _clock(answers, clock)


def _pins(answers: Answers, file: Path) -> Iterator[Diagnosis]:
    for role, pin in (("service", answers.pins.service), ("lead", answers.pins.lead)):
        if not pin:
            continue
        try:
            require_good(pin)
        except ConfigError as error:
            yield _said(f"PIN {role}", Health.FAIL, error.what, error.remedy)
            continue
        folder = next(path for path in file.absolute().parents if path.exists())
        if os.access(folder, os.W_OK):
            yield _said(f"PIN {role}", Health.OK, f"its hash goes into {file}")
        else:
            found = f"{file} cannot be written by this user"
            yield _said(f"PIN {role}", Health.FAIL, found, "Run this as root, or change kiosk.pins.")


def _folder(subject: str, folder: Path, *, make: bool) -> Diagnosis:
    """Write, read and remove a file there."""
    probe = folder / PROBE
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(PROBE.encode())
        same = probe.read_bytes() == PROBE.encode()
        probe.unlink()
    except OSError as error:
        return _said(
            subject,
            Health.FAIL,
            f"{folder} cannot be written and read: {error.strerror}",
            "Make it, mount it, or give the appliance's user the right to it.",
        )
    if not same:
        return _said(
            subject, Health.FAIL, f"{folder} gives back other bytes than were written", "Change the disk."
        )
    return _said(subject, Health.OK, str(folder))


def _clock(answers: Answers, clock: Clock) -> Diagnosis:
    now = clock.now_utc()
    if now.year < BUILD_YEAR or not answers.clock_is_right:
        return _said(
            "clock", Health.FAIL, f"it shows {now:%Y-%m-%d %H:%M} UTC, which is wrong", "Set it first."
        )
    synchronised = network_time()
    source = {True: ", set by the network", False: ", not set by the network", None: ""}[synchronised]
    return _said("clock", Health.OK, f"{now:%Y-%m-%d %H:%M} UTC{source}")


def _models(
    settings: Settings, layout: Layout, clock: Clock, scratch: Layout, progress: Progress
) -> Iterator[Diagnosis]:
    """A passport for each model on this device, and the test exposure with its known answer."""
    scratch.create()
    layout.engine_cache.mkdir(parents=True, exist_ok=True)
    with open_registry(settings, layout.engine_cache, layout=layout) as registry:
        for task in registry.tasks():
            progress(f"model {task}")
            yield _model(registry, task)
        progress("test exposure")
        with Jail(settings.reading, clock=clock) as jail:
            proving = Proving(settings, scratch, clock, registry)
            try:
                proof = proving.prove(jail)
            finally:
                proving.close()
    if proof.passed:
        found = (
            f"the planted fault was found and every known question answered, in {proof.took_ms / 1000:.1f} s"
        )
        yield _said("test exposure", Health.OK, found)
    else:
        yield _said(
            "test exposure",
            Health.FAIL,
            "; ".join(proof.failures),
            "Do not use it. `scanside models passport` and the doctor say more.",
        )


def _model(registry: Registry, task: str) -> Diagnosis:
    subject = f"model {task}"
    try:
        served = registry.served(task)
    except ScansideError as error:
        return _said(subject, Health.FAIL, error.what, error.remedy)
    words = f"{served.card.identity} on {served.description.words}"
    if served.fallback_reason:
        return _said(
            subject,
            Health.CHECK,
            f"{words}, because {served.fallback_reason}",
            f"`scanside models passport --task {task}` shows what each engine does here.",
        )
    return _said(subject, Health.OK, words)


def _said(subject: str, health: Health, found: str, remedy: str = "") -> Diagnosis:
    return Diagnosis(subject=subject, health=health, found=found, remedy=remedy)
