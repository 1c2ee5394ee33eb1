# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models install, activate, rollback, shadow`: which bundle answers on this device, and since when.

All of them work beside the running appliance: the worker looks at the slots between two jobs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from appliance.commands.audit import note_command
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.config import load_settings
from appliance.domain.audit import AuditKind
from appliance.errors import EngineError, ExitCode, ModelBundleError
from appliance.layout import Layout

if TYPE_CHECKING:
    from appliance.models.bundle import Bundle
    from appliance.models.slots import SlotFolder, Slots

Target = Annotated[
    str,
    typer.Argument(
        help="TASK (its newest installed release), TASK@VERSION, or TASK@shipped.", metavar="TARGET"
    ),
]
SOON: Final = "A running appliance takes it up between two images, within seconds."


def install(
    bundle: Annotated[Path, typer.Argument(help="A bundle: a folder or a zip.", exists=True)],
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle and copy it into the data folder. It does not serve before it is activated.

    It must be signed with a key that this device trusts, and be no older than what has served here.
    """
    from appliance.models.bundle import read_bundle, unpack_bundle  # noqa: PLC0415  (--help stays quick)
    from appliance.models.releases import Releases  # noqa: PLC0415
    from appliance.processes.models import slot_folder, trusted_keys  # noqa: PLC0415

    with _refusals_in_words(), tempfile.TemporaryDirectory() as scratch:
        settings, layout = load_settings(config), _layout(data)
        trust, known = trusted_keys(settings), Releases(layout.releases)
        folder = unpack_bundle(bundle, into=Path(scratch), trust=trust) if bundle.is_file() else bundle
        checked = read_bundle(folder, trust=trust, releases=known)
        path, new = slot_folder(settings, layout).install(checked)
        card = checked.card
        if new:
            note_command(layout, AuditKind.MODEL, ("installed", card.identity), ("release", path.name))
        _say(
            {"model": card.identity, "release": path.name, "installed": new},
            f"{card.identity} is {'installed' if new else 'installed already'}.\n"
            f"Test and use it: scanside models activate {card.identity} --data {data}",
            as_json=as_json,
        )


def activate(
    target: Target, *, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False
) -> None:
    """Let an installed release answer from now on, if it has its passport on this device.

    It is tested first (docs/passport.md). Without an engine that passes, nothing changes and the exit code
    is 1.
    """
    from appliance.models.releases import Releases  # noqa: PLC0415  (--help stays quick)
    from appliance.models.slots import FOLDERS  # noqa: PLC0415
    from appliance.processes.models import bundles_in_folders, open_selection, slot_folder  # noqa: PLC0415

    with _refusals_in_words():
        settings, layout = load_settings(config), _layout(data)
        slots, known = slot_folder(settings, layout), Releases(layout.releases)
        task, _, version = target.partition("@")
        key: str | None = None
        if version == FOLDERS:
            bundle = bundles_in_folders(settings, layout.engine_cache, known).found.get(task)
            if bundle is None:
                raise ModelBundleError(
                    f"No folder of bundles holds a model for {task}.",
                    remedy="`scanside models list` names the tasks.",
                )
        else:
            key, bundle = _installed(slots, target)
            known.check(bundle.card)
        passport = open_selection(settings, layout.engine_cache).try_out(bundle)
        slots.activate(task, key)
        what = ("activated", bundle.card.identity)
        note_command(layout, AuditKind.MODEL, what, ("release", key or FOLDERS))
        _say(
            {"active": bundle.card.identity, "release": key, "engine": passport.words},
            f"{bundle.card.identity} is active, on {passport.words}. {SOON}\n"
            f"Back: scanside models rollback {task} --data {data}",
            as_json=as_json,
        )


def rollback(
    task: Annotated[str, typer.Argument(help="The task whose model goes back.", metavar="TASK")],
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """One step back, at once: the model that answered before the last activation answers again.

    Its passport still holds. What is left stays installed.
    """
    from appliance.models.releases import Releases  # noqa: PLC0415  (--help stays quick)
    from appliance.models.slots import FOLDERS  # noqa: PLC0415
    from appliance.processes.models import bundles_in_folders, slot_folder  # noqa: PLC0415

    with _refusals_in_words():
        settings, layout = load_settings(config), _layout(data)
        slots, known = slot_folder(settings, layout), Releases(layout.releases)
        before = slots.read(task)
        there = {key: bundle.card for key, bundle in slots.installed(task)}
        left = there.get(before.active or "")
        back = there.get(before.previous or "")
        if before.may_roll_back and before.previous is None:
            waiting = bundles_in_folders(settings, layout.engine_cache, known).too_old.get(task)
            back = waiting.card if waiting else None
        if before.may_roll_back and back is not None:
            known.roll_back(back)  # first: the worker that follows must find it allowed
        after = slots.roll_back(task, left_release=left.release if left else None)
        back_to = back.identity if back is not None and after.active else f"{task}@{FOLDERS}"
        what = ("rolled back to", back_to)
        note_command(layout, AuditKind.MODEL, what, ("release", after.active or FOLDERS))
        _say(
            {"active": back_to, "release": after.active},
            f"{back_to} is active again. {SOON}",
            as_json=as_json,
        )


def shadow(
    target: Target,
    *,
    off: Annotated[bool, typer.Option("--off", help="End the shadow of this task.")] = False,
    report: Annotated[bool, typer.Option("--report", help="What the shadow said so far.")] = False,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Run an installed release beside the one that answers, on the same images, in the worker's spare time.

    What it says is kept apart, compared, and never shown as a result. It needs its passport, too.
    """
    from appliance.commands.shadow_report import say_report  # noqa: PLC0415  (--help stays quick)
    from appliance.pipeline.shadowing import shadowable_tasks  # noqa: PLC0415
    from appliance.processes.models import open_selection, slot_folder  # noqa: PLC0415

    with _refusals_in_words():
        settings, layout = load_settings(config), _layout(data)
        slots = slot_folder(settings, layout)
        task = target.partition("@")[0]
        if report:
            say_report(layout, slots, task, as_json=as_json)
            return
        if off:
            slots.set_shadow(task, None)
            note_command(layout, AuditKind.MODEL, ("shadow ended", task))
            _say({"task": task, "shadow": None}, f"{task} has no shadow any more.", as_json=as_json)
            return
        key, bundle = _installed(slots, target)
        may = shadowable_tasks((bundle.card,))
        if task not in may:
            raise ModelBundleError(
                f"{task} decides nothing about single images, so there is nothing to compare.",
                remedy=f"Tasks that may have a shadow: {', '.join(may)}.",
            )
        if slots.read(task).active == key:
            raise ModelBundleError(
                f"{bundle.card.identity} is what answers; it cannot be its own shadow.",
                remedy=f"Name another release: {task}@VERSION.",
            )
        passport = open_selection(settings, layout.engine_cache).try_out(bundle)
        slots.set_shadow(task, key)
        note_command(layout, AuditKind.MODEL, ("shadow", bundle.card.identity), ("release", key))
        _say(
            {"task": task, "shadow": bundle.card.identity, "release": key, "engine": passport.words},
            f"{bundle.card.identity} runs in the shadow, on {passport.words}. {SOON}\n"
            f"What it says: scanside models shadow {task} --report --data {data}",
            as_json=as_json,
        )


def slot_words(slots: Slots, key: str | None) -> str:
    """What a release does, for `models list`."""
    if slots.active == key:
        return "active"
    if key is not None and slots.shadow == key:
        return "shadow"
    if slots.may_roll_back and slots.previous == key:
        return "previous"
    return "installed" if key is not None else "in a folder"


def _installed(slots: SlotFolder, target: str) -> tuple[str, Bundle]:
    """Key and bundle of TASK or TASK@VERSION; several releases of one version: the newest."""
    task, _, version = target.partition("@")
    there = slots.installed(task)
    for key, bundle in there:
        if version in ("", bundle.card.version, key):
            return key, bundle
    names = ", ".join(bundle.card.identity for _, bundle in there) or "nothing"
    raise ModelBundleError(
        f"{target} is not installed for {task}: {names} is.",
        remedy="Install it with `scanside models install BUNDLE`.",
    )


def _layout(data: Path) -> Layout:
    layout = Layout(data=data.resolve())
    layout.create()
    return layout


@contextmanager
def _refusals_in_words() -> Iterator[None]:
    """A model that is refused is this command's answer, not a fault of the software."""
    with errors_in_words():
        try:
            yield
        except EngineError as error:
            typer.echo(f"scanside: {error.what}\n  {error.remedy}", err=True)
            raise typer.Exit(ExitCode.FOUND_FAULTS) from error


def _say(line: dict[str, object], words: str, *, as_json: bool) -> None:
    if as_json:
        say_json(line)
    else:
        typer.echo(words)
