# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Does each answer really hold? The folder is written to, the archive is asked, the test exposure is judged.

Nothing of the device is changed: settings and models' own proofs come from a folder that goes away, and
passports land where the appliance will look for them.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.clock import Clock
from appliance.config import Settings, load_settings
from appliance.configuration.checking import check_settings
from appliance.durable import may_be_made
from appliance.errors import ConfigError, ScansideError
from appliance.first_run.answers import Answers, settings_text
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.monitor.diagnosis import NOT_TRIED, Diagnosis, Health
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.neighbours import network_is_closed, peers, port
from appliance.monitor.timekeeping import BUILD_YEAR, network_time
from appliance.pins import require_good, require_some
from appliance.processes.models import open_registry
from appliance.processes.proving import Proving

PROBE: Final = "scanside-first-run.part"
NO_NETWORK: Final = "has no network"
RUNS_WITHIN_S: Final = 15.0
"""A process whose last sign of life is older does not run."""
Progress = Callable[[str], None]
"""Told what is looked at now: making passports takes a minute on a small machine."""


def check_answers(
    answers: Answers, layout: Layout, clock: Clock, *, progress: Progress, writes: bool = True
) -> Iterator[Diagnosis]:
    """One after the other. FAIL: the device would not work so; CHECK: it would, and somebody should look.

    `writes`: whether this user is the one who will write the PINs.
    """
    with tempfile.TemporaryDirectory(prefix="scanside-first-run-") as scratch:
        settings, faults = settings_of(answers, Path(scratch))
        if settings is None:
            yield from faults
            return
        failed = False
        for one in _before_models(answers, settings, layout, clock, progress, writes=writes):
            failed |= one.health is Health.FAIL
            yield one
        if failed:
            yield _said("models and test exposure", Health.CHECK, "not tried yet", "Mend what failed first.")
            return
        yield from _models(settings, layout, clock, Layout(data=Path(scratch) / "proof"), progress)


def settings_of(answers: Answers, scratch: Path) -> tuple[Settings | None, tuple[Diagnosis, ...]]:
    """The settings that these answers would be, made in `scratch`; None with everything that forbids it."""
    file = scratch / "settings.toml"
    file.write_text(settings_text(answers), encoding="utf-8")
    faults = [fault for fault in check_settings(file).faults if not fault.only_here]
    if faults:
        return None, tuple(_said("settings", Health.FAIL, fault.what, fault.remedy) for fault in faults)
    return load_settings(file), ()


def _before_models(
    answers: Answers,
    settings: Settings,
    layout: Layout,
    clock: Clock,
    progress: Progress,
    *,
    writes: bool,
) -> Iterator[Diagnosis]:
    """What takes seconds."""
    progress("folders")
    yield _folder("data folder", layout.data, make=True)
    yield from check_inbox(answers)
    yield from check_pins(answers, settings.kiosk.pins if writes else None)
    progress("DICOM")
    yield check_door(settings, layout, clock)
    yield from check_receivers(settings)
    yield check_clock(answers, clock)


def check_inbox(answers: Answers) -> Iterator[Diagnosis]:
    """Can files be written and read in the folder that is watched, too?"""
    if answers.inbox:
        yield _folder("inbox", Path(answers.inbox), make=False)


def check_door(settings: Settings, layout: Layout, clock: Clock) -> Diagnosis:
    """Is the DICOM port free? The appliance that runs on this data folder may be who has it."""
    if network_is_closed():
        return _not_from_here(f"DICOM port {settings.listener.host}:{settings.listener.port}", NO_NETWORK)
    found = port(settings)
    beat = read_beat(layout.run, "watcher", clock)
    if found.health is not Health.FAIL or beat is None or beat.age_s > RUNS_WITHIN_S:
        return found
    words = f"{found.found}; the appliance that runs on {layout.data} may be who has it"
    return replace(found, health=Health.CHECK, found=words, remedy="Its next start tells; or stop it first.")


def check_receivers(settings: Settings) -> Iterator[Diagnosis]:
    """Does each PACS answer (C-ECHO)?"""
    if network_is_closed():
        yield from (_not_from_here(f"peer {one.name}", NO_NETWORK) for one in settings.sender.receivers)
    else:
        yield from peers(settings)


def _not_from_here(subject: str, why: str) -> Diagnosis:
    """The unit of an installed device's screen keeps it from everything but the data folder."""
    remedy = "`sudo scanside first-run` tries it; the last page says how."
    return _said(subject, Health.CHECK, f"{NOT_TRIED}: the screen of this device {why}", remedy)


def check_pins(answers: Answers, file: Path | None) -> Iterator[Diagnosis]:
    """Are they good, and can `file` be written? None: that is not this user's to do."""
    for role, pin in (("service", answers.pins.service), ("lead", answers.pins.lead)):
        if pin:
            yield _pin(f"PIN {role}", file, lambda pin=pin: require_good(pin))  # type: ignore[misc]
    if answers.pins.hashes:
        yield _pin("PINs", file, lambda: require_some(Path(answers.pins.hashes)))


def _pin(subject: str, file: Path | None, good: Callable[[], None]) -> Diagnosis:
    try:
        good()
    except ConfigError as error:
        return _said(subject, Health.FAIL, error.what, error.remedy)
    if file is None:
        return _said(subject, Health.OK, "it can be")
    if may_be_made(file):
        return _said(subject, Health.OK, f"its hash goes into {file}")
    found = f"{file} cannot be written by this user"
    return _said(subject, Health.FAIL, found, "Run this as root, or change kiosk.pins.")


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
        if error.errno in {errno.EROFS, errno.EACCES} and network_is_closed():
            return _not_from_here(subject, "reaches nothing but the data folder")
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


def check_clock(answers: Answers, clock: Clock) -> Diagnosis:
    """Is it right, by a person's word, and not before this software was made?"""
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
